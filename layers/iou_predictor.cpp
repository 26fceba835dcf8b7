// SPDX-License-Identifier: MIT
#include "atomtrack/layers/iou_predictor.hpp"

namespace atomtrack {
namespace {

constexpr Conv2dGeometry same3x3{1, 1};
constexpr Conv2dGeometry valid{1, 0};

// Bins of the pooling layers (figure 3): a finer grid for the test image, whose branch has the
// harder task.
constexpr int reference_bins3 = 3;
constexpr int reference_bins4 = 1;
constexpr int test_bins3 = 5;
constexpr int test_bins4 = 3;

/// z(x, B) of one block, modulated: pooled features [N K,C,P,P] times the image's coefficients
/// [N,C].
template <class T>
Variable<T> modulated(const Variable<T>& features, const Variable<T>& coefficients,
                      const Variable<T>& rois, int bins, double scale) {
  const Variable<T> pooled = prroi_pool(features, rois, {bins, bins, scale});
  const std::int64_t images = coefficients.extent(0), channels = coefficients.extent(1);
  const std::int64_t boxes = images == 0 ? 0 : rois.extent(0) / images;
  const Variable<T> product = reshape(pooled, Shape{images, boxes, channels, bins, bins}) *
                              reshape(coefficients, Shape{images, 1, channels, 1, 1});
  return reshape(product, pooled.shape());
}

}  // namespace

template <class T>
IouPredictor<T>::IouPredictor(const IouPredictorWidths& w)
    : conv3_1r(w.layer2, w.conv3_1r, 3, same3x3),
      fc3_1r(w.conv3_1r, w.fc3_1r, reference_bins3, valid),
      conv4_1r(w.layer3, w.conv4_1r, 3, same3x3),
      fc34_3r(w.fc3_1r + w.conv4_1r, w.conv3_2t, 1, valid),
      fc34_4r(w.fc3_1r + w.conv4_1r, w.conv4_2t, 1, valid),
      conv3_1t(w.layer2, w.conv3_1t, 3, same3x3),
      conv3_2t(w.conv3_1t, w.conv3_2t, 3, same3x3),
      conv4_1t(w.layer3, w.conv4_1t, 3, same3x3),
      conv4_2t(w.conv4_1t, w.conv4_2t, 3, same3x3),
      fc3_rt(w.conv3_2t * test_bins3 * test_bins3, w.fc3_rt),
      fc4_rt(w.conv4_2t * test_bins4 * test_bins4, w.fc4_rt),
      iou_predictor(w.fc3_rt + w.fc4_rt, 1) {}

template <class T>
Variable<T> rois_of(const Variable<T>& boxes) {
  require<ShapeError>(boxes.shape().rank() == 3 && boxes.extent(2) == 4, "boxes of shape ",
                      boxes.shape(), ": expected [N,K,4] of (x, y, width, height)");
  const std::int64_t images = boxes.extent(0), count = boxes.extent(1);
  std::vector<T> image(static_cast<std::size_t>(images * count));
  for (std::int64_t i = 0; i < images * count; ++i)
    image[static_cast<std::size_t>(i)] = static_cast<T>(i / count);
  const Variable<T> rows = reshape(boxes, Shape{images * count, 4});
  const Variable<T> corner = slice(rows, 1, 0, 2);
  const Variable<T> size = slice(rows, 1, 2, 2);
  return concat(
      {Variable<T>(Tensor<T>(Shape{images * count, 1}, std::span<const T>(image), boxes.device())),
       corner, corner + size},
      1);
}

template <class T>
Modulation<T> IouPredictor<T>::modulation(const Variable<T>& layer2, const Variable<T>& layer3,
                                          const Variable<T>& boxes) const {
  const std::int64_t images = layer2.extent(0);
  const bool several = boxes.shape().rank() == 3;
  require<ShapeError>(boxes.extent(0) == images && boxes.extent(several ? 2 : 1) == 4,
                      "reference boxes of shape ", boxes.shape(), ": expected [", images,
                      ",4] or [", images, ",R,4]");
  const Variable<T> rois = rois_of(several ? boxes : reshape(boxes, Shape{images, 1, 4}));
  const Variable<T> pooled3 =
      prroi_pool(conv3_1r(layer2), rois, {reference_bins3, reference_bins3, block3_scale});
  const Variable<T> pooled4 =
      prroi_pool(conv4_1r(layer3), rois, {reference_bins4, reference_bins4, block4_scale});
  const Variable<T> both = concat({fc3_1r(pooled3), pooled4}, 1);
  const Variable<T> block3 = fc34_3r(both);
  const Variable<T> block4 = fc34_4r(both);
  return {reshape(block3, Shape{block3.extent(0), block3.extent(1)}),
          reshape(block4, Shape{block4.extent(0), block4.extent(1)})};
}

template <class T>
IouFeatures<T> IouPredictor<T>::features(const Variable<T>& layer2,
                                         const Variable<T>& layer3) const {
  return {conv3_2t(conv3_1t(layer2)), conv4_2t(conv4_1t(layer3))};
}

template <class T>
Variable<T> IouPredictor<T>::predict(const IouFeatures<T>& features,
                                     const Modulation<T>& modulation,
                                     const Variable<T>& boxes) const {
  const Variable<T> rois = rois_of(boxes);
  const Variable<T> block3 =
      fc3_rt(modulated(features.block3, modulation.block3, rois, test_bins3, block3_scale));
  const Variable<T> block4 =
      fc4_rt(modulated(features.block4, modulation.block4, rois, test_bins4, block4_scale));
  return reshape(iou_predictor(concat({block3, block4}, 1)),
                 Shape{boxes.extent(0), boxes.extent(1)});
}

template <class T>
void IouPredictor<T>::set_training(bool training) {
  for (ConvBlock<T>* block : {&conv3_1r, &fc3_1r, &conv4_1r, &fc34_3r, &fc34_4r, &conv3_1t,
                              &conv3_2t, &conv4_1t, &conv4_2t}) {
    block->norm.training = training;
  }
  for (LinearBlock<T>* block : {&fc3_rt, &fc4_rt}) {
    if (block->norm) block->norm->training = training;
  }
}

template <class T>
void IouPredictor<T>::fold_batch_norm() {
  fc3_rt.fold_batch_norm();
  fc4_rt.fold_batch_norm();
}

template <class T>
void IouPredictor<T>::visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
  conv3_1r.visit(join_name(prefix, "conv3_1r"), visitor);
  conv3_1t.visit(join_name(prefix, "conv3_1t"), visitor);
  conv3_2t.visit(join_name(prefix, "conv3_2t"), visitor);
  fc3_1r.visit(join_name(prefix, "fc3_1r"), visitor);
  conv4_1r.visit(join_name(prefix, "conv4_1r"), visitor);
  conv4_1t.visit(join_name(prefix, "conv4_1t"), visitor);
  conv4_2t.visit(join_name(prefix, "conv4_2t"), visitor);
  fc34_3r.visit(join_name(prefix, "fc34_3r"), visitor);
  fc34_4r.visit(join_name(prefix, "fc34_4r"), visitor);
  fc3_rt.visit(join_name(prefix, "fc3_rt"), visitor);
  fc4_rt.visit(join_name(prefix, "fc4_rt"), visitor);
  iou_predictor.visit(join_name(prefix, "iou_predictor"), visitor);
}

template struct IouPredictor<float>;
template struct IouPredictor<double>;
template Variable<float> rois_of(const Variable<float>&);
template Variable<double> rois_of(const Variable<double>&);

}  // namespace atomtrack
