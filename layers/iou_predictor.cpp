// SPDX-License-Identifier: MIT
#include "atomtrack/layers/iou_predictor.hpp"

#include <cmath>
#include <utility>

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

constexpr std::pair<IouArchitecture, const char*> architecture_names[] = {
    {IouArchitecture::modulation, "modulation"},
    {IouArchitecture::baseline, "baseline"},
    {IouArchitecture::concatenation, "concatenation"},
    {IouArchitecture::siamese, "siamese"},
    {IouArchitecture::modulation_block3, "modulation-block3"},
    {IouArchitecture::modulation_block4, "modulation-block4"},
};

/// One vector [M,C] per target, repeated for each of its boxes: [M,K,C].
template <class T>
Variable<T> repeated(const Variable<T>& vectors, std::int64_t count) {
  const std::int64_t targets = vectors.extent(0), channels = vectors.extent(1);
  return reshape(vectors, Shape{targets, 1, channels}) +
         Variable<T>(Tensor<T>::zeros(Shape{targets, count, 1}, vectors.device()));
}

}  // namespace

std::string name_of(IouArchitecture architecture) {
  for (const auto& [value, name] : architecture_names) {
    if (value == architecture) return name;
  }
  throw InputError("an IoU architecture without a name");
}

IouArchitecture parse_iou_architecture(const std::string& name) {
  std::string known;
  for (const auto& [value, its_name] : architecture_names) {
    if (name == its_name) return value;
    known += (known.empty() ? "" : ", ") + std::string(its_name);
  }
  throw InputError(concatenate("IoU architecture '", name, "': expected one of ", known));
}

IouPredictorWidths IouPredictorWidths::of(IouArchitecture architecture) {
  constexpr std::int64_t symmetric_width = 202;
  IouPredictorWidths widths;
  if (architecture == IouArchitecture::concatenation || architecture == IouArchitecture::siamese)
    widths.fc3_rt = widths.fc4_rt = symmetric_width;
  return widths;
}

template <class T>
IouPredictor<T>::IouPredictor(IouArchitecture which)
    : IouPredictor(which, IouPredictorWidths::of(which)) {}

template <class T>
IouPredictor<T>::IouPredictor(IouArchitecture which, const IouPredictorWidths& w)
    : architecture(which) {
  const std::int64_t pooled3 = w.conv3_2t * test_bins3 * test_bins3;
  const std::int64_t pooled4 = w.conv4_2t * test_bins4 * test_bins4;
  const std::int64_t reference = (uses_block3() ? w.fc3_1r : 0) + (uses_block4() ? w.conv4_1r : 0);
  if (uses_block3()) {
    if (modulates()) {
      conv3_1r = ConvBlock<T>(w.layer2, w.conv3_1r, 3, same3x3);
      fc3_1r = ConvBlock<T>(w.conv3_1r, w.fc3_1r, reference_bins3, valid);
      fc34_3r = ConvBlock<T>(reference, w.conv3_2t, 1, valid);
    }
    conv3_1t = ConvBlock<T>(w.layer2, w.conv3_1t, 3, same3x3);
    conv3_2t = ConvBlock<T>(w.conv3_1t, w.conv3_2t, 3, same3x3);
    fc3_rt = LinearBlock<T>(pooled3, w.fc3_rt);
  }
  if (uses_block4()) {
    if (modulates()) {
      conv4_1r = ConvBlock<T>(w.layer3, w.conv4_1r, 3, same3x3);
      fc34_4r = ConvBlock<T>(reference, w.conv4_2t, 1, valid);
    }
    conv4_1t = ConvBlock<T>(w.layer3, w.conv4_1t, 3, same3x3);
    conv4_2t = ConvBlock<T>(w.conv4_1t, w.conv4_2t, 3, same3x3);
    fc4_rt = LinearBlock<T>(pooled4, w.fc4_rt);
  }
  if (is_symmetric()) {
    fc3_r = LinearBlock<T>(pooled3, w.fc3_rt);
    fc4_r = LinearBlock<T>(pooled4, w.fc4_rt);
  }
  if (architecture == IouArchitecture::siamese) {
    // A scalar product of rectified features could not be negative.
    for (LinearBlock<T>* layer : {&fc3_r, &fc4_r, &fc3_rt, &fc4_rt}) layer->rectified = false;
    return;
  }
  const std::int64_t last = (uses_block3() ? w.fc3_rt : 0) + (uses_block4() ? w.fc4_rt : 0);
  iou_predictor = Linear<T>(architecture == IouArchitecture::concatenation ? 2 * last : last, 1);
}

/// Calls f(name, layer) for every layer that the architecture has.
template <class T>
template <class F>
void IouPredictor<T>::for_each_layer(F f) {
  const bool modulated = modulates();
  if (modulated && uses_block3()) f("conv3_1r", conv3_1r);
  if (uses_block3()) f("conv3_1t", conv3_1t);
  if (uses_block3()) f("conv3_2t", conv3_2t);
  if (modulated && uses_block3()) f("fc3_1r", fc3_1r);
  if (modulated && uses_block4()) f("conv4_1r", conv4_1r);
  if (uses_block4()) f("conv4_1t", conv4_1t);
  if (uses_block4()) f("conv4_2t", conv4_2t);
  if (modulated && uses_block3()) f("fc34_3r", fc34_3r);
  if (modulated && uses_block4()) f("fc34_4r", fc34_4r);
  if (is_symmetric()) f("fc3_r", fc3_r);
  if (is_symmetric()) f("fc4_r", fc4_r);
  if (uses_block3()) f("fc3_rt", fc3_rt);
  if (uses_block4()) f("fc4_rt", fc4_rt);
  if (architecture != IouArchitecture::siamese) f("iou_predictor", iou_predictor);
}

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
  if (architecture == IouArchitecture::baseline) return {};
  if (is_symmetric()) {
    const IouFeatures<T> shared = features(layer2, layer3);
    return {fc3_r(prroi_pool(shared.block3, rois, {test_bins3, test_bins3, block3_scale})),
            fc4_r(prroi_pool(shared.block4, rois, {test_bins4, test_bins4, block4_scale}))};
  }
  std::vector<Variable<T>> pooled;
  if (uses_block3()) {
    pooled.push_back(fc3_1r(
        prroi_pool(conv3_1r(layer2), rois, {reference_bins3, reference_bins3, block3_scale})));
  }
  if (uses_block4()) {
    pooled.push_back(
        prroi_pool(conv4_1r(layer3), rois, {reference_bins4, reference_bins4, block4_scale}));
  }
  const Variable<T> both =
      pooled.size() == 1 ? pooled.front() : concat(std::span<const Variable<T>>(pooled), 1);
  const auto vectors = [&](const ConvBlock<T>& layer) {
    const Variable<T> coefficients = layer(both);
    return reshape(coefficients, Shape{coefficients.extent(0), coefficients.extent(1)});
  };
  Modulation<T> result;
  if (uses_block3()) result.block3 = vectors(fc34_3r);
  if (uses_block4()) result.block4 = vectors(fc34_4r);
  return result;
}

template <class T>
IouFeatures<T> IouPredictor<T>::features(const Variable<T>& layer2,
                                         const Variable<T>& layer3) const {
  IouFeatures<T> result;
  if (uses_block3()) result.block3 = conv3_2t(conv3_1t(layer2));
  if (uses_block4()) result.block4 = conv4_2t(conv4_1t(layer3));
  return result;
}

/// One block's pooled features [M,C,P,P], modulated where there are coefficients [R,C], through its
/// fully connected layer -> [M,F].
template <class T>
Variable<T> IouPredictor<T>::head(const Variable<T>& pooled, const Variable<T>& coefficients,
                                  const LinearBlock<T>& layer) const {
  if (!modulates()) return layer(pooled);
  const std::int64_t targets = coefficients.extent(0), channels = coefficients.extent(1);
  const std::int64_t boxes = targets == 0 ? 0 : pooled.extent(0) / targets;
  const Variable<T> product =
      reshape(pooled, Shape{targets, boxes, channels, pooled.extent(2), pooled.extent(3)}) *
      reshape(coefficients, Shape{targets, 1, channels, 1, 1});
  return layer(reshape(product, pooled.shape()));
}

template <class T>
PooledFeatures<T> IouPredictor<T>::pool(const IouFeatures<T>& features,
                                        const Variable<T>& boxes) const {
  const Variable<T> rois = rois_of(boxes);
  PooledFeatures<T> pooled;
  if (uses_block3())
    pooled.block3 = prroi_pool(features.block3, rois, {test_bins3, test_bins3, block3_scale});
  if (uses_block4())
    pooled.block4 = prroi_pool(features.block4, rois, {test_bins4, test_bins4, block4_scale});
  return pooled;
}

template <class T>
Variable<T> IouPredictor<T>::predict_pooled(const PooledFeatures<T>& pooled,
                                            const Modulation<T>& modulation) const {
  std::vector<Variable<T>> test, reference;
  if (uses_block3()) {
    test.push_back(head(pooled.block3, modulation.block3, fc3_rt));
    reference.push_back(modulation.block3);
  }
  if (uses_block4()) {
    test.push_back(head(pooled.block4, modulation.block4, fc4_rt));
    reference.push_back(modulation.block4);
  }
  const auto joined = [](const std::vector<Variable<T>>& parts) {
    return parts.size() == 1 ? parts.front() : concat(std::span<const Variable<T>>(parts), 1);
  };
  const Variable<T> z = joined(test);
  const std::int64_t boxes = z.extent(0), width = z.extent(1);
  if (!is_symmetric()) return reshape(iou_predictor(z), Shape{boxes});
  const std::int64_t targets = reference.front().extent(0);
  const std::int64_t count = targets == 0 ? 0 : boxes / targets;
  const Variable<T> c = repeated(joined(reference), count);
  const Variable<T> per_target = reshape(z, Shape{targets, count, width});
  if (architecture == IouArchitecture::concatenation) {
    const Variable<T> both = concat({c, per_target}, 2);
    return reshape(iou_predictor(reshape(both, Shape{boxes, 2 * width})), Shape{boxes});
  }
  // Divided by the length of typical vectors, so that training starts with moderate values.
  return reshape(sum(c * per_target, {2}) * (1.0 / std::sqrt(static_cast<double>(width))),
                 Shape{boxes});
}

template <class T>
Variable<T> IouPredictor<T>::predict(const IouFeatures<T>& features,
                                     const Modulation<T>& modulation,
                                     const Variable<T>& boxes) const {
  return reshape(predict_pooled(pool(features, boxes), modulation),
                 Shape{boxes.extent(0), boxes.extent(1)});
}

template <class T>
void IouPredictor<T>::set_training(bool training) {
  struct Switch {
    bool training;
    void operator()(const char*, ConvBlock<T>& layer) const { layer.norm.training = training; }
    void operator()(const char*, LinearBlock<T>& layer) const {
      if (layer.norm) layer.norm->training = training;
    }
    void operator()(const char*, Linear<T>&) const {}
  };
  for_each_layer(Switch{training});
}

template <class T>
void IouPredictor<T>::fold_batch_norm() {
  for (LinearBlock<T>* layer : {&fc3_r, &fc4_r, &fc3_rt, &fc4_rt}) layer->fold_batch_norm();
}

template <class T>
void IouPredictor<T>::visit(const std::string& prefix, ModuleVisitor<T>& visitor) {
  for_each_layer(
      [&](const char* name, auto& layer) { layer.visit(join_name(prefix, name), visitor); });
}

template struct IouPredictor<float>;
template struct IouPredictor<double>;
template Variable<float> rois_of(const Variable<float>&);
template Variable<double> rois_of(const Variable<double>&);

}  // namespace atomtrack
