// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "atomtrack/layers/basic_layers.hpp"

namespace atomtrack {

/// How the target's appearance enters the prediction (Table 1 and section S1).
enum class IouArchitecture {
  modulation,         ///< the paper's: channels of the test image scaled by what the reference says
  baseline,           ///< no reference at all
  concatenation,      ///< both images through the same layers, their features side by side
  siamese,            ///< the same, IoU as the scalar product of the two images' features
  modulation_block3,  ///< modulation of the backbone's block 3 alone
  modulation_block4,  ///< modulation of block 4 alone
};

/// The name in a weights file: "modulation", "baseline", "concatenation", "siamese",
/// "modulation-block3", "modulation-block4".
std::string name_of(IouArchitecture architecture);
/// Throws InputError for any other name.
IouArchitecture parse_iou_architecture(const std::string& name);

/// Channels of the IoU predictor's layers; the defaults are the paper's network with modulation
/// (5,595,521 parameters).
struct IouPredictorWidths {
  std::int64_t layer2 = 128;  ///< of the backbone's block 3
  std::int64_t layer3 = 256;  ///< of the backbone's block 4
  std::int64_t conv3_1r = 128;
  std::int64_t fc3_1r = 256;
  std::int64_t conv4_1r = 256;
  std::int64_t conv3_1t = 256;
  std::int64_t conv3_2t = 256;  ///< and of the modulation vector for block 3
  std::int64_t conv4_1t = 256;
  std::int64_t conv4_2t = 256;  ///< and of the modulation vector for block 4
  std::int64_t fc3_rt = 256;
  std::int64_t fc4_rt = 256;

  /// The paper leaves the widths of the other architectures open but for "a similar number of
  /// parameters": where both images have fully connected layers of their own, these have 202
  /// channels (concatenation 5,587,105 parameters, siamese 5,586,296). A single block keeps its
  /// layers' widths and has fewer parameters; so has the baseline.
  static IouPredictorWidths of(IouArchitecture architecture);
};

/// What the reference branch says of the target, one vector per block: with modulation c(x_0, B_0)
/// of equation (1), coefficients >= 0; otherwise the reference's features. A block that the
/// architecture does not look at is left empty.
template <class T>
struct Modulation {
  Variable<T> block3;  ///< [N,conv3_2t], or [N,fc3_rt] of the symmetric architectures
  Variable<T> block4;  ///< [N,conv4_2t], or [N,fc4_rt]
};

/// The test image's features before pooling. A block that the architecture does not look at is left
/// empty.
template <class T>
struct IouFeatures {
  Variable<T> block3;  ///< [N,conv3_2t,H/8,W/8]
  Variable<T> block4;  ///< [N,conv4_2t,H/16,W/16]
};

/// z(x, B) of some boxes before modulation: what does not depend on the target.
template <class T>
struct PooledFeatures {
  Variable<T> block3;  ///< [M,conv3_2t,5,5]
  Variable<T> block4;  ///< [M,conv4_2t,3,3]
};

/// The target estimation network (section 3.1, figure 3): predicts the overlap of boxes in a test
/// image with a target that is given by a box in a reference image, IoU(B) = g(c(x_0, B_0) . z(x,
/// B)), equation (1). It was trained for 2 IoU - 1.
template <class T>
struct IouPredictor {
  explicit IouPredictor(IouArchitecture architecture = IouArchitecture::modulation);
  IouPredictor(IouArchitecture architecture, const IouPredictorWidths& widths);

  /// The reference branch: backbone maps [N,layer2,H/8,W/8] and [N,layer3,H/16,W/16] and, per
  /// image, one box [N,4] or several targets' [N,R,4] (x, y, width, height in pixels of the H x W
  /// image). With R targets the vectors are [N R,...], image by image.
  Modulation<T> modulation(const Variable<T>& layer2, const Variable<T>& layer3,
                           const Variable<T>& boxes) const;
  /// The convolutions of the test branch.
  IouFeatures<T> features(const Variable<T>& layer2, const Variable<T>& layer3) const;
  /// The predicted overlap, in [-1, 1] as trained, of `boxes` [N,K,4] (x, y, width, height) ->
  /// [N,K]. With R targets per image, K is a multiple of R: the first K/R boxes of an image are
  /// judged against its first target, and so on.
  Variable<T> predict(const IouFeatures<T>& features, const Modulation<T>& modulation,
                      const Variable<T>& boxes) const;

  /// The two steps of `predict`: pooling boxes [N,K,4], and judging the N K pooled boxes, with
  /// R targets (rows of the modulation vectors) N K / R each in turn -> [N K].
  PooledFeatures<T> pool(const IouFeatures<T>& features, const Variable<T>& boxes) const;
  Variable<T> predict_pooled(const PooledFeatures<T>& pooled,
                             const Modulation<T>& modulation) const;

  /// Switches batch norm between the running statistics (evaluation) and the batch's own
  /// (training).
  void set_training(bool training);
  /// Folds the batch norms of the fully connected layers: the same predictions, cheaper. For
  /// evaluation only.
  void fold_batch_norm();
  void visit(const std::string& prefix, ModuleVisitor<T>& visitor);

  bool uses_block3() const { return architecture != IouArchitecture::modulation_block4; }
  bool uses_block4() const { return architecture != IouArchitecture::modulation_block3; }
  /// Whether the reference goes through the test branch's layers.
  bool is_symmetric() const {
    return architecture == IouArchitecture::concatenation ||
           architecture == IouArchitecture::siamese;
  }
  /// Whether the test image's channels are scaled.
  bool modulates() const { return !is_symmetric() && architecture != IouArchitecture::baseline; }

  static constexpr double block3_scale = 1.0 / 8.0;
  static constexpr double block4_scale = 1.0 / 16.0;

  IouArchitecture architecture;
  // Layers that the architecture does not have stay empty and unnamed.
  // Reference branch
  ConvBlock<T> conv3_1r, fc3_1r, conv4_1r, fc34_3r, fc34_4r;
  LinearBlock<T> fc3_r, fc4_r;  // of the symmetric architectures
  // Test branch
  ConvBlock<T> conv3_1t, conv3_2t, conv4_1t, conv4_2t;
  LinearBlock<T> fc3_rt, fc4_rt;
  Linear<T> iou_predictor;

 private:
  template <class F>
  void for_each_layer(F f);
  Variable<T> head(const Variable<T>& pooled, const Variable<T>& coefficients,
                   const LinearBlock<T>& layer) const;
};

/// Boxes [N,K,4] (x, y, width, height) of N images as rows (image, x0, y0, x1, y1) [N K,5] for
/// prroi_pool.
template <class T>
Variable<T> rois_of(const Variable<T>& boxes);

extern template struct IouPredictor<float>;
extern template struct IouPredictor<double>;
extern template Variable<float> rois_of(const Variable<float>&);
extern template Variable<double> rois_of(const Variable<double>&);

}  // namespace atomtrack
