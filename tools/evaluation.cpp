// SPDX-License-Identifier: MIT
#include "tools/evaluation.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <thread>

#include "atomtrack/datasets/annotations.hpp"
#include "atomtrack/primitives/hardware.hpp"
#include "atomtrack/weights/weights_file.hpp"
#include "tools/evaluation_pictures.hpp"
#include "tools/evaluation_runner.hpp"
#include "tools/evaluation_scoring.hpp"
#include "tools/output.hpp"
#include "tools/vot_experiment.hpp"
#include "tools/zip_file.hpp"

namespace atomtrack::tools {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t pictures_each = 3;  // of the best and of the worst sequences

/// A tracker that was asked for: one to run, or a folder of box files.
struct Contestant {
  TrackerEntry entry;  // without `make` for a folder
  std::string folder;
};

/// NAME, NAME=FOLDER or NAME=WEIGHTS.h5.
Contestant contestant(const std::string& text, const TrackerOptions& common) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return {tracker_entry(text, common), ""};
  const std::string name = text.substr(0, equals), path = text.substr(equals + 1);
  require<InputError>(!name.empty() && name.find('/') == std::string::npos && name[0] != '.',
                      "tracker '", text, "': '", name, "' cannot be a name");
  if (fs::is_directory(path)) return {{name, false, nullptr}, path};
  require<InputError>(fs::is_regular_file(path), "tracker '", text,
                      "': expected NAME=FOLDER of box files or NAME=FILE of weights, and ", path,
                      " is neither");
  TrackerOptions own = common;
  own.weights = path;
  TrackerEntry entry = tracker_entry("atom", own);
  entry.name = name;
  return {entry, ""};
}

std::vector<Contestant> contestants(const EvaluationRequest& request) {
  std::vector<Contestant> all;
  std::set<std::string> names;
  for (const std::string& text : request.trackers) {
    all.push_back(contestant(text, request.common));
    require<InputError>(names.insert(all.back().entry.name).second, "tracker '",
                        all.back().entry.name, "' is named twice");
  }
  return all;
}

/// Results of one pass through each sequence, and of VOT's supervised experiment.
struct Stores {
  ResultStore once, supervised;
};

struct Shard {
  std::size_t index = 0, count = 1;
};

Shard parse_shard(const std::string& text) {
  if (text.empty()) return {};
  unsigned index = 0, count = 0;
  char rest = 0;
  require<InputError>(std::sscanf(text.c_str(), "%u/%u%c", &index, &count, &rest) == 2 &&
                          index >= 1 && index <= count,
                      "--shard ", text, ": expected I/N with I from 1 to N");
  return {index - 1, count};
}

/// What has not been run yet, long sequences first so that the last process does not finish alone.
std::vector<EvaluationTask> missing_runs(const EvaluationRequest& request,
                                         const std::vector<Contestant>& trackers,
                                         const Benchmark& benchmark, const Stores& stores) {
  std::vector<EvaluationTask> all;
  for (const Contestant& tracker : trackers) {
    if (!tracker.entry.make) continue;
    for (int seed = 0; seed < (tracker.entry.uses_seed ? request.seeds : 1); ++seed) {
      for (const BenchmarkSequence& sequence : benchmark.sequences) {
        all.push_back({&tracker.entry, &sequence, seed, &stores.once, false});
        if (benchmark.layout == BenchmarkLayout::vot2018)
          all.push_back({&tracker.entry, &sequence, seed, &stores.supervised, true});
      }
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const EvaluationTask& a, const EvaluationTask& b) {
    return a.sequence->frames.size() > b.sequence->frames.size();
  });
  const Shard shard = parse_shard(request.shard);
  std::vector<EvaluationTask> missing;
  for (std::size_t i = shard.index; i < all.size(); i += shard.count) {
    if (!all[i].store->holds(all[i].tracker->name, all[i].seed, all[i].sequence->name))
      missing.push_back(all[i]);
  }
  return missing;
}

/// The command as it was given, quoted for a shell.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string line, word;
  const auto finish_word = [&] {
    const bool plain = word.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_-+=./:,@%") == std::string::npos;
    line += (line.empty() ? "" : " ") + (plain && !word.empty() ? word : "'" + word + "'");
    word.clear();
  };
  for (std::istreambuf_iterator<char> c(file), end; c != end; ++c) {
    if (*c == '\0') {
      finish_word();
    } else {
      word += *c == '\'' ? std::string("'\\''") : std::string(1, *c);
    }
  }
  return line;
}

std::vector<std::string> environment(const EvaluationRequest& request) {
  std::vector<std::string> lines{
      std::string("atomtrack ") + ATOMTRACK_VERSION,
      concatenate(hardware(Device::cpu()), ", ", std::thread::hardware_concurrency(),
                  " threads of hardware; ", request.jobs, " runs at a time")};
  const std::string weights = find_weights(request.common.weights);
  if (!weights.empty())
    lines.push_back("weights " + fs::path(weights).filename().string() + ": " +
                    read_weights(weights).metadata.provenance);
  return lines;
}

EvaluationSummary about(const EvaluationRequest& request, const Benchmark& benchmark) {
  EvaluationSummary summary;
  summary.benchmark = concatenate(fs::path(request.root).lexically_normal().filename().string(),
                                  " (", name_of(benchmark.layout), ")");
  summary.commands = {command_line()};
  summary.environment = environment(request);
  summary.remarks = benchmark.remarks;
  for (const BenchmarkSequence& sequence : benchmark.sequences) {
    if (sequence.has_hidden_boxes()) continue;
    summary.sequences.push_back(sequence.name);
    summary.frames[sequence.name] = static_cast<int>(sequence.frames.size());
    for (const std::string& attribute : sequence.attributes)
      summary.attributes[attribute].push_back(sequence.name);
  }
  return summary;
}

/// Where a server holds the annotations: an archive per tracker as it takes them.
void write_submissions(const EvaluationRequest& request, const std::vector<Contestant>& trackers,
                       const Benchmark& benchmark, const ResultStore& store) {
  for (const Contestant& tracker : trackers) {
    ZipFile archive;
    for (const BenchmarkSequence& sequence : benchmark.sequences) {
      if (!sequence.has_hidden_boxes() || !store.holds(tracker.entry.name, 0, sequence.name))
        continue;
      const std::string path = store.path(tracker.entry.name, 0, sequence.name);
      const bool got10k = benchmark.layout == BenchmarkLayout::got10k;
      archive.add((got10k ? sequence.name + "/" : "") + fs::path(path).filename().string(),
                  read_text_file(path));
      if (!got10k) continue;
      archive.add(sequence.name + "/" + sequence.name + "_time.txt",
                  read_text_file(path.substr(0, path.size() - 4) + "_time.txt"));
    }
    if (archive.empty()) continue;
    const std::string file = request.output + "/submission_" + tracker.entry.name + ".zip";
    archive.write(file);
    std::cout << file << ": for the benchmark's server\n";
  }
}

/// The tables of benchmarks that have measures of their own.
void add_own_measures(const std::vector<Contestant>& trackers, const Benchmark& benchmark,
                      const Stores& stores, EvaluationSummary& summary) {
  std::vector<std::string> names;
  for (const Contestant& tracker : trackers) {
    if (tracker.entry.make) names.push_back(tracker.entry.name);
  }
  if (benchmark.layout == BenchmarkLayout::vot2018)
    summary.tables.push_back(vot_table(benchmark, stores.supervised, names, summary.remarks));
  if (benchmark.layout == BenchmarkLayout::got10k)
    summary.tables.push_back(got10k_table(benchmark, stores.once, names, summary.remarks));
  std::erase_if(summary.tables, [](const ReportTable& table) { return table.rows.empty(); });
}

void print_table(const EvaluationSummary& summary) {
  std::printf("%-24s %6s %6s %6s %9s %9s %9s\n", "tracker", "AUC", "OP50", "OP75", "precision",
              "norm.pr.", "frames/s");
  for (const TrackerSummary& tracker : summary.trackers) {
    const Measures& m = tracker.measures.mean;
    std::printf("%-24s %6.3f %6.3f %6.3f %9.3f %9.3f %9.1f\n", tracker.name.c_str(), m.auc, m.op50,
                m.op75, m.precision, m.normalized_precision, tracker.frames_per_second);
  }
}

void report(const EvaluationRequest& request, const std::vector<Contestant>& trackers,
            const Benchmark& benchmark, const Stores& stores,
            const std::vector<std::string>& failures) {
  const ResultStore& store = stores.once;
  EvaluationSummary texts = about(request, benchmark);
  for (const std::string& failure : failures) texts.remarks.push_back(failure);
  std::vector<ScoredRun> runs;
  for (const Contestant& tracker : trackers) {
    auto more =
        tracker.folder.empty()
            ? score_stored(benchmark, store, tracker.entry.name, request.thresholds, texts.remarks)
            : score_foreign(benchmark, tracker.entry.name, tracker.folder, request.thresholds,
                            texts.remarks);
    runs.insert(runs.end(), std::make_move_iterator(more.begin()),
                std::make_move_iterator(more.end()));
  }
  if (texts.sequences.empty()) return;  // a server will score them
  require<InputError>(!runs.empty(), request.output, ": holds no results to report");
  EvaluationSummary summary = summarize(std::move(texts), runs);
  add_own_measures(trackers, benchmark, stores, summary);
  summary.pictures = draw_pictures(summary, benchmark, store, pictures_each);
  write_text_file(request.output + "/summary.json", summary_json(summary));
  write_text_file(request.output + "/summary.csv", summary_csv(summary));
  write_text_file(request.output + "/report.html", report_html(summary));
  print_table(summary);
  for (const std::string& remark : summary.remarks) std::cerr << "remark: " << remark << "\n";
  std::cout << request.output << "/report.html\n";
}

}  // namespace

void EvaluationRequest::add_to(Arguments& arguments) {
  arguments.text("root", root, "folder of the benchmark", "ROOT");
  arguments.require("root");
  arguments.text("--layout", layout,
                 "otb (any folder of sequences), nfs, uav123, lasot, trackingnet, got10k, vot2018");
  arguments.list("--sequences", sequences, "only these", "A,B,...");
  arguments.text("--split", split, "only the sequences that this file names, one a line", "FILE");
  arguments.number("--seeds", seeds, "runs of each tracker that depends on a seed: 0, 1, ...", 1,
                   1000);
  arguments.number("--jobs", jobs, "runs at a time, each in a process of its own", 1, 256);
  arguments.number("--thresholds", thresholds, "of the success curve: 21 or 101");
  arguments.text("--shard", shard, "only the I-th of N parts of the runs, without a report", "I/N");
  arguments.any_number("--merge", merge,
                       "run nothing; take over the results in these folders, then report",
                       "FOLDER");
  arguments.text("--output", output, "folder for results and report", "FOLDER");
  arguments.require("--output");
  common.add_machine_to(arguments);
}

int evaluate(const EvaluationRequest& request) {
  require<InputError>(request.sequences.empty() || request.split.empty(),
                      "--sequences and --split cannot go together");
  require<InputError>(request.thresholds == 21 || request.thresholds == 101, "--thresholds ",
                      request.thresholds, ": expected 21 or 101");
  const std::vector<Contestant> trackers = contestants(request);
  const Benchmark benchmark =
      read_benchmark(request.root, parse_benchmark_layout(request.layout),
                     request.split.empty() ? request.sequences : read_lines(request.split));
  const Stores stores{{request.output + "/results", benchmark.layout},
                      {request.output + "/supervised", benchmark.layout}};
  std::vector<std::string> failures;
  if (request.only_report) {
    for (const std::string& folder : request.merge) {
      if (folder.empty()) continue;  // what CLI11 makes of --merge without a value
      stores.once.take_over(folder + "/results");
      if (fs::is_directory(folder + "/supervised"))
        stores.supervised.take_over(folder + "/supervised");
    }
  } else {
    std::error_code error;
    fs::create_directories(request.output, error);
    require<InputError>(!error, request.output, ": cannot be made: ", error.message());
    check_writable(request.output + "/summary.json");
    failures = run_tasks(missing_runs(request, trackers, benchmark, stores), request.jobs,
                         request.common.threads);
  }
  if (request.shard.empty()) {
    report(request, trackers, benchmark, stores, failures);
    write_submissions(request, trackers, benchmark, stores.once);
  }
  return failures.empty() ? 0 : 1;
}

}  // namespace atomtrack::tools
