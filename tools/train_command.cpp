// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <opencv2/imgproc.hpp>

#include "atomtrack/primitives/primitives.hpp"
#include "atomtrack/training/config.hpp"
#include "tools/commands.hpp"
#include "tools/common_options.hpp"
#include "tools/image_reader.hpp"
#include "tools/output.hpp"
#include "tools/training_log.hpp"

namespace atomtrack::tools {
namespace {

namespace fs = std::filesystem;

constexpr int interrupted_status = 130;
constexpr std::size_t preview_pairs = 12;
// Numbers of pairs that are never trained on.
constexpr std::uint64_t validation_seed_offset = 0x5EED;

std::atomic<bool> interrupted{false};

struct TrainArguments {
  std::string config, data, start, output, preview;
  bool resume = false, measure = false;
  std::int64_t pairs = 0;
  int threads = 0;
  std::string device = "cpu";
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// "12:34" or "3:12:34".
std::string clock_text(double seconds) {
  const auto s = static_cast<long>(std::max(0.0, seconds));
  const auto two = [](long v) { return (v < 10 ? "0" : "") + std::to_string(v); };
  return s >= 3600 ? concatenate(s / 3600, ":", two(s / 60 % 60), ":", two(s % 60))
                   : concatenate(s / 60, ":", two(s % 60));
}

/// One line on a terminal that is written over; elsewhere a line now and then.
class Progress {
 public:
  Progress(std::int64_t begin, std::int64_t end, bool shown)
      : begin_(begin), end_(end), shown_(shown), terminal_(isatty(STDERR_FILENO) != 0) {}

  void show(const Trainer::Step& step) {
    if (!shown_) return;
    const double now = seconds_now();
    loss_ = loss_ == 0.0 ? step.loss : 0.98 * loss_ + 0.02 * step.loss;
    error_ = error_ == 0.0 ? step.mean_error : 0.98 * error_ + 0.02 * step.mean_error;
    if (now - last_ < (terminal_ ? 0.5 : 60.0) && step.pairs < end_) return;
    last_ = now;
    const double speed = static_cast<double>(step.pairs - begin_) / std::max(1e-9, now - start_);
    const double left = static_cast<double>(end_ - step.pairs) / speed;
    constexpr int bar = 24;
    const auto filled = static_cast<int>(bar * step.pairs / std::max<std::int64_t>(1, end_));
    std::cerr << (terminal_ ? "\r" : "") << "["
              << std::string(static_cast<std::size_t>(filled), '#')
              << std::string(static_cast<std::size_t>(bar - filled), '.') << "] " << step.pairs
              << "/" << end_ << " pairs  loss " << number(loss_) << "  IoU error " << number(error_)
              << "  " << number(speed) << " pairs/s  " << clock_text(left) << " left "
              << (terminal_ ? "  " : "\n") << std::flush;
  }
  /// Moves to a new line before something else is printed.
  void interrupt() const {
    if (shown_ && terminal_) std::cerr << "\n";
  }

 private:
  static std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", value);
    return text;
  }

  std::int64_t begin_, end_;
  bool shown_, terminal_;
  double start_ = seconds_now(), last_ = 0.0, loss_ = 0.0, error_ = 0.0;
};

cv::Mat drawn(const Tensor<std::uint8_t>& pixels, const std::vector<Box>& boxes) {
  cv::Mat image;
  cv::cvtColor(cv::Mat(static_cast<int>(pixels.extent(0)), static_cast<int>(pixels.extent(1)),
                       CV_8UC3, const_cast<std::uint8_t*>(pixels.data())),  // NOLINT: only read
               image, cv::COLOR_RGB2BGR);
  const cv::Scalar colours[] = {{0, 255, 0}, {0, 160, 255}, {255, 128, 0}, {255, 0, 255}};
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& b = boxes[i];
    cv::rectangle(image, cv::Rect2d(b.x, b.y, b.width, b.height), colours[i % 4], i == 0 ? 2 : 1);
  }
  return image;
}

/// Reference above test crop, with the targets' boxes, for the first pairs.
void write_preview(const PairSource& source, const std::string& path) {
  std::vector<cv::Mat> columns;
  for (std::uint64_t i = 0; i < preview_pairs; ++i) {
    const TrainingPair pair = source.make(i);
    std::vector<Box> reference, test;
    for (const PairTarget& target : pair.targets) {
      reference.push_back(target.reference);
      test.push_back(target.test);
    }
    cv::Mat column;
    cv::vconcat(drawn(pair.reference, reference), drawn(pair.test, test), column);
    columns.push_back(column);
  }
  std::vector<cv::Mat> rows;
  for (std::size_t i = 0; i < columns.size(); i += 6) {
    cv::Mat row;
    cv::hconcat(std::vector<cv::Mat>(
                    columns.begin() + static_cast<std::ptrdiff_t>(i),
                    columns.begin() + static_cast<std::ptrdiff_t>(std::min(i + 6, columns.size()))),
                row);
    rows.push_back(row);
  }
  cv::Mat sheet;
  cv::vconcat(rows, sheet);
  write_image(path, sheet);
}

void report_data(const TrainingData& data) {
  std::size_t skipped = 0;
  std::string first;
  for (const auto* list : {&data.training, &data.validation}) {
    std::size_t sequences = 0, stills = 0;
    for (const WeightedDataset& set : *list) {
      sequences += set.dataset.sequences.size();
      stills += set.dataset.stills.size();
      skipped += set.dataset.skipped;
      if (first.empty() && !set.dataset.first_skips.empty())
        first = set.dataset.first_skips.front();
    }
    std::cerr << (list == &data.training ? "training: " : "validation: ") << sequences
              << " sequences, " << stills << " images\n";
  }
  if (skipped > 0) std::cerr << "skipped: " << skipped << ", first: " << first << "\n";
}

/// What training starts from; a whole network's predictor only where the user asked for that file.
WeightsFile starting_weights(const TrainArguments& arguments) {
  WeightsFile file = read_weights(require_weights(arguments.start));
  if (arguments.start.empty())
    std::erase_if(file.tensors, [](const auto& entry) {
      return entry.first.starts_with(TrainingNetwork<float>::predictor_name);
    });
  return file;
}

/// The files of a training run.
struct RunFiles {
  std::string checkpoint, weights;
};

void save(const Trainer& trainer, const TrainingConfig& config, const TrainingLog& log,
          const RunFiles& files) {
  write_weights(files.checkpoint, trainer.checkpoint(config.fingerprint));
  WeightsFile weights = trainer.weights();
  weights.metadata.provenance =
      concatenate("atomtrack train: ", trainer.pairs_done(), " pairs, seed ", config.training.seed,
                  ", configuration ", config.fingerprint.substr(0, 16),
                  "; started from: ", weights.metadata.provenance);
  write_weights(files.weights, weights, WeightsStorage::half);
  log.save();
}

/// How well given weights predict the overlaps of held-out pairs.
int measure(const TrainArguments& arguments) {
  const TrainingConfig config = read_training_config(arguments.config);
  const TrainingData data = read_training_data(config, arguments.data);
  report_data(data);
  require<InputError>(!data.validation.empty(), arguments.config,
                      ": holds nothing out (validation_every)");
  const std::string path = require_weights(arguments.start);
  const WeightsFile file = read_weights(path);
  const Device device = parse_device(arguments.device);
  TrainingNetwork<float> network(parse_iou_architecture(file.metadata.architecture));
  load_parameters(network.backbone, TrainingNetwork<float>::backbone_name, file.tensors, device);
  load_parameters(network.predictor, TrainingNetwork<float>::predictor_name, file.tensors, device);
  const PairSource source(data.validation, opencv_image_reader(), config.sampling,
                          config.augmentation, config.training.seed + validation_seed_offset);
  const std::int64_t count = arguments.pairs > 0 ? arguments.pairs : config.validation_pairs;
  std::vector<TrainingPair> pairs;
  for (std::int64_t i = 0; i < count; ++i)
    pairs.push_back(source.make(static_cast<std::uint64_t>(i)));
  const ValidationReport report = validate(network, pairs);
  const auto print = [](const char* which, const OverlapErrors& errors) {
    if (errors.candidates == 0) return;
    std::cout << which << ": " << errors.candidates << " candidates, mean IoU error "
              << errors.mean_error << ", rank correlation " << errors.rank_correlation
              << ", mean IoU after five steps of ascent " << errors.climbed_overlap << "\n";
  };
  print("targets", report.first);
  print("further targets", report.further);
  return 0;
}

/// The device named. Of several processes each is given a GPU of its own where none is named: those
/// of one machine are numbered by their launcher.
Device device_of(const std::string& named, const GradientExchange& processes) {
  if (named != "cuda" || processes.size() == 1) return parse_device(named);
  for (const char* variable : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID"}) {
    const char* number = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
    if (number != nullptr) return parse_device("cuda:" + std::string(number));
  }
  return Device::cuda(processes.rank());
}

int train(const TrainArguments& arguments) {
  const TrainingConfig config = read_training_config(arguments.config);
  const TrainingData data = read_training_data(config, arguments.data);
  auto processes = mpi_exchange();
  if (processes == nullptr) processes = std::make_unique<GradientExchange>();
  const Device device = device_of(arguments.device, *processes);
  const auto exchange = nccl_exchange(std::move(processes), device);
  const bool leader = exchange->rank() == 0;
  if (leader) report_data(data);
  const auto source =
      std::make_shared<PairSource>(data.training, opencv_image_reader(), config.sampling,
                                   config.augmentation, config.training.seed);
  if (!arguments.preview.empty()) {
    write_preview(*source, arguments.preview);
    return 0;
  }
  require<InputError>(!arguments.output.empty(), "train needs --output FOLDER (or --preview FILE)");
  const RunFiles files{arguments.output + "/checkpoint.h5", arguments.output + "/weights.h5"};
  std::error_code error;
  fs::create_directories(arguments.output, error);
  require<InputError>(!error, arguments.output, ": cannot be made: ", error.message());
  require<InputError>(arguments.resume || !fs::exists(files.checkpoint), files.checkpoint,
                      ": is there already; --resume goes on with it");

  Trainer trainer(config.training, starting_weights(arguments), source, *exchange, device);
  if (leader)
    std::cerr << "architecture " << name_of(config.training.architecture) << ": "
              << trainer.predictor_parameters() << " parameters in the predictor\n";
  TrainingLog log(arguments.output);
  if (arguments.resume) {
    try {
      trainer.restore(read_weights(files.checkpoint), config.fingerprint);
    } catch (const WeightsError& cause) {
      const std::string what = cause.what();
      throw WeightsError(what.starts_with(files.checkpoint) ? what
                                                            : files.checkpoint + ": " + what);
    }
    log.load(trainer.pairs_done());
  }
  std::vector<TrainingPair> validation;
  if (leader && config.validation_pairs > 0 && !data.validation.empty()) {
    const PairSource held_out(data.validation, opencv_image_reader(), config.sampling,
                              config.augmentation, config.training.seed + validation_seed_offset);
    for (int i = 0; i < config.validation_pairs; ++i)
      validation.push_back(held_out.make(static_cast<std::uint64_t>(i)));
  }

  std::signal(SIGINT, [](int) { interrupted = true; });
  std::signal(SIGTERM, [](int) { interrupted = true; });
  const std::int64_t end = arguments.pairs > 0 ? std::min(trainer.pairs_in_all(), arguments.pairs)
                                               : trainer.pairs_in_all();
  Progress progress(trainer.pairs_done(), end, leader);
  const auto passed = [&](std::int64_t before, std::int64_t every) {
    return every > 0 && before / every < trainer.pairs_done() / every;
  };
  while (trainer.pairs_done() < end) {
    const std::int64_t before = trainer.pairs_done();
    // All processes stop after the same step.
    double stop = interrupted ? 1.0 : 0.0;
    exchange->sum(std::span<double>(&stop, 1));
    if (stop > 0.0) break;
    const Trainer::Step step = trainer.step();
    if (!leader) continue;
    log.add(step);
    progress.show(step);
    const bool last = trainer.pairs_done() >= end;
    if (!validation.empty() && (last || passed(before, config.validate_every))) {
      const ValidationReport report = trainer.validate(validation);
      log.add(trainer.pairs_done(), report);
      progress.interrupt();
      std::cerr << "validation after " << trainer.pairs_done() << " pairs: IoU error "
                << report.first.mean_error << ", rank correlation " << report.first.rank_correlation
                << ", IoU after the ascent " << report.first.climbed_overlap;
      if (report.further.candidates > 0)
        std::cerr << "; further targets " << report.further.mean_error << ", "
                  << report.further.rank_correlation << ", " << report.further.climbed_overlap;
      std::cerr << "\n";
    }
    if (!last && passed(before, config.checkpoint_every)) save(trainer, config, log, files);
  }
  if (leader) {
    save(trainer, config, log, files);
    progress.interrupt();
    if (source->unreadable() > 0)
      std::cerr << source->unreadable()
                << " draws were repeated, the last because: " << source->last_failure() << "\n";
    if (interrupted)
      std::cerr << "stopped after " << trainer.pairs_done() << " pairs; --resume goes on from "
                << files.checkpoint << "\n";
  }
  return interrupted ? interrupted_status : 0;
}

}  // namespace

void add_train_command(CommandLine& line, int& exit_status) {
  auto request = std::make_shared<TrainArguments>();
  Arguments arguments = line.command("train", "train the IoU predictor (docs/training.md)");
  arguments.text("config", request->config, "training configuration (JSON)", "CONFIG.json");
  arguments.require("config");
  arguments.text("--data", request->data, "folder that the configuration's roots start from",
                 "FOLDER");
  arguments.text("--start", request->start,
                 "weights to start from: a backbone, or a whole network to go on with (else as for "
                 "track)",
                 "FILE");
  arguments.text("--output", request->output, "folder for checkpoint, weights, logs and curves",
                 "FOLDER");
  arguments.flag("--resume", request->resume, "go on from the checkpoint in --output");
  arguments.number("--pairs", request->pairs, "stop after this many pairs in all (0: all)",
                   std::int64_t{0});
  arguments.text("--preview", request->preview, "only draw the first pairs into an image", "FILE");
  arguments.flag("--measure", request->measure,
                 "only measure the weights of --start on --pairs pairs that are held out");
  arguments.text("--device", request->device,
                 "cpu, cuda:INDEX or reference; under mpirun `cuda` is a GPU for each process");
  arguments.number("--threads", request->threads, "host threads (0: all cores)", 0, 1024);
  arguments.run([request, &exit_status] {
    if (request->threads > 0) set_threads(request->threads);
    exit_status = request->measure ? measure(*request) : train(*request);
  });
}

}  // namespace atomtrack::tools
