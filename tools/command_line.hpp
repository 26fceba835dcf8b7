// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace atomtrack::tools {

/// What a sub-command takes. Each argument is called "--name", or "name" if its place tells what it
/// is; the target's value at the time is its default. CLI11 reads them, in command_line.cpp alone:
/// a file that sees its headers takes as long to compile as ten others.
class Arguments {
 public:
  explicit Arguments(CLI::App& command) : command_(&command) {}

  /// `kind`: what the help calls the value.
  void text(const std::string& name, std::string& target, const std::string& help,
            const std::string& kind = "TEXT");
  /// One of `choices`.
  void choice(const std::string& name, std::string& target, const std::vector<std::string>& choices,
              const std::string& help);
  /// Int is int, std::int64_t or std::uint64_t.
  template <class Int>
  void number(const std::string& name, Int& target, const std::string& help,
              Int least = std::numeric_limits<Int>::min(),
              Int most = std::numeric_limits<Int>::max());
  void flag(const std::string& name, bool& target, const std::string& help);
  /// Several texts with commas between.
  void list(const std::string& name, std::vector<std::string>& target, const std::string& help,
            const std::string& kind);
  /// Any number of texts, none included, with blanks between.
  void any_number(const std::string& name, std::vector<std::string>& target,
                  const std::string& help, const std::string& kind);
  void require(const std::string& name);

  /// Last in the help.
  void footer(const std::string& words);
  /// What the command does, after the arguments have their values.
  void run(std::function<void()> work);
  /// Whether the user named this one.
  bool given(const std::string& name) const;

 private:
  CLI::App* command_;
};

/// The sub-commands, of which the user chooses one.
class CommandLine {
 public:
  CommandLine(const std::string& description, const std::string& footer,
              const std::string& version);
  ~CommandLine();

  Arguments command(const std::string& name, const std::string& help);
  /// Runs the command chosen, and throws what it throws; answers --help and --version. Throws
  /// InputError.
  void parse(int argc, char** argv);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace atomtrack::tools
