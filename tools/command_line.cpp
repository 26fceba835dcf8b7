// SPDX-License-Identifier: MIT
#include "tools/command_line.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include "atomtrack/tensor/error.hpp"

namespace atomtrack::tools {

void Arguments::text(const std::string& name, std::string& target, const std::string& help,
                     const std::string& kind) {
  command_->add_option(name, target, help)->type_name(kind)->capture_default_str();
}

void Arguments::choice(const std::string& name, std::string& target,
                       const std::vector<std::string>& choices, const std::string& help) {
  command_->add_option(name, target, help)->check(CLI::IsMember(choices))->capture_default_str();
}

template <class Int>
void Arguments::number(const std::string& name, Int& target, const std::string& help, Int least,
                       Int most) {
  CLI::Option* option = command_->add_option(name, target, help)->capture_default_str();
  using Limits = std::numeric_limits<Int>;
  if (least == 0 && most == Limits::max()) {
    option->check(CLI::NonNegativeNumber);
  } else if (least != Limits::min() || most != Limits::max()) {
    option->check(CLI::Range(least, most));
  }
}

template void Arguments::number(const std::string&, int&, const std::string&, int, int);
template void Arguments::number(const std::string&, std::int64_t&, const std::string&, std::int64_t,
                                std::int64_t);
template void Arguments::number(const std::string&, std::uint64_t&, const std::string&,
                                std::uint64_t, std::uint64_t);

void Arguments::flag(const std::string& name, bool& target, const std::string& help) {
  command_->add_flag(name, target, help);
}

void Arguments::list(const std::string& name, std::vector<std::string>& target,
                     const std::string& help, const std::string& kind) {
  CLI::Option* option = command_->add_option(name, target, help)->delimiter(',')->type_name(kind);
  if (!target.empty()) option->capture_default_str();
}

void Arguments::any_number(const std::string& name, std::vector<std::string>& target,
                           const std::string& help, const std::string& kind) {
  constexpr int most = 1000;
  command_->add_option(name, target, help)->expected(0, most)->type_name(kind);
}

void Arguments::require(const std::string& name) {
  command_->get_option(name)->required();
}

void Arguments::footer(const std::string& words) {
  command_->footer(words);
}

void Arguments::run(std::function<void()> work) {
  command_->callback(std::move(work));
}

bool Arguments::given(const std::string& name) const {
  return command_->count(name) > 0;
}

CommandLine::CommandLine(const std::string& description, const std::string& footer,
                         const std::string& version)
    : app_(std::make_unique<CLI::App>(description, "atomtrack")) {
  app_->footer(footer);
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
}

CommandLine::~CommandLine() = default;

Arguments CommandLine::command(const std::string& name, const std::string& help) {
  return Arguments(*app_->add_subcommand(name, help));
}

void CommandLine::parse(int argc, char** argv) {
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& answer) {  // --help, --version
    app_->exit(answer);
  } catch (const CLI::ParseError& error) {
    throw InputError(std::string(error.what()) + " (see atomtrack --help)");
  }
}

}  // namespace atomtrack::tools
