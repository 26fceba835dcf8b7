// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>

#include "atomtrack/evaluation/vot.hpp"
#include "atomtrack/tensor/error.hpp"

namespace atomtrack::vot {
namespace {

double signed_area(const Polygon& polygon) {
  double twice = 0.0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    twice += a.x * b.y - a.y * b.x;
  }
  return twice / 2;
}

/// The part of a convex polygon on the left of the line from `a` to `b` (Sutherland and Hodgman,
/// CACM 1974, one edge).
Polygon clipped(const Polygon& polygon, const Point& a, const Point& b) {
  const auto side = [&](const Point& p) {
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
  };
  Polygon inside;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point &p = polygon[i], &q = polygon[(i + 1) % polygon.size()];
    const double at_p = side(p), at_q = side(q);
    if (at_p >= 0) inside.push_back(p);
    if ((at_p < 0 && at_q > 0) || (at_p > 0 && at_q < 0)) {
      const double t = at_p / (at_p - at_q);
      inside.push_back({p.x + t * (q.x - p.x), p.y + t * (q.y - p.y)});
    }
  }
  return inside;
}

/// The intersection of two convex polygons; `other` has positive signed area.
Polygon intersection(Polygon polygon, const Polygon& other) {
  for (std::size_t i = 0; i < other.size() && !polygon.empty(); ++i)
    polygon = clipped(polygon, other[i], other[(i + 1) % other.size()]);
  return polygon;
}

/// A convex polygon of positive signed area that counts once with its sign.
struct Piece {
  double sign;
  Polygon polygon;
};

Polygon corners(const Region& region) {
  if (const Box* box = std::get_if<Box>(&region)) {
    const double right = box->x + std::max(0.0, box->width);
    const double bottom = box->y + std::max(0.0, box->height);
    return {{box->x, box->y}, {right, box->y}, {right, bottom}, {box->x, bottom}};
  }
  return std::get<Polygon>(region);
}

/// The region inside the image as signed triangles from its first corner: where they overlap their
/// signs cancel, which makes concave polygons right too.
std::vector<Piece> pieces(const Region& region, ImageSize image) {
  const double width = image.width, height = image.height;
  const Polygon frame{{0, 0}, {width, 0}, {width, height}, {0, height}};
  const Polygon polygon = corners(region);
  const double turn = signed_area(polygon) < 0 ? -1 : 1;
  std::vector<Piece> found;
  for (std::size_t i = 1; i + 1 < polygon.size(); ++i) {
    Polygon triangle{polygon[0], polygon[i], polygon[i + 1]};
    const double area = signed_area(triangle);
    if (area == 0.0) continue;
    if (area < 0.0) std::swap(triangle[1], triangle[2]);
    found.push_back({area < 0 ? -turn : turn, intersection(triangle, frame)});
  }
  return found;
}

double exact_overlap(const Region& a, const Region& b, ImageSize image) {
  const std::vector<Piece> first = pieces(a, image), second = pieces(b, image);
  double area_a = 0.0, area_b = 0.0, shared = 0.0;
  for (const Piece& piece : first) area_a += piece.sign * signed_area(piece.polygon);
  for (const Piece& piece : second) area_b += piece.sign * signed_area(piece.polygon);
  for (const Piece& p : first) {
    for (const Piece& q : second)
      shared += p.sign * q.sign * signed_area(intersection(p.polygon, q.polygon));
  }
  const double all = area_a + area_b - shared;
  return all > 0.0 ? std::clamp(shared / all, 0.0, 1.0) : 1.0;
}

/// The columns of a region in a row, from `first` to `last`; none where last < first.
struct Span {
  long first = 0, last = -1;
  long count() const { return std::max(0L, last - first + 1); }
};

/// The pixels at the corners.
Polygon whole_corners(const Region& region) {
  if (const Box* box = std::get_if<Box>(&region)) {
    const double left = std::nearbyint(box->x), top = std::nearbyint(box->y);
    const double right = left + std::nearbyint(box->width) - 1;
    const double bottom = top + std::nearbyint(box->height) - 1;
    if (right < left || bottom < top) return {};
    return {{left, top}, {right, top}, {right, bottom}, {left, bottom}};
  }
  Polygon polygon = std::get<Polygon>(region);
  for (Point& p : polygon) p = {std::nearbyint(p.x), std::nearbyint(p.y)};
  return polygon;
}

/// Keeps what is inside the image before it is made an integer.
long whole(double value, double limit) {
  return static_cast<long>(std::clamp(value, -1.0, limit));
}

/// `polygon` has whole corners. Where an edge crosses a row exactly in a pixel's centre, rounding
/// decides which side of it truncation sees, so that the order of the arithmetic matters here: from
/// the edge's end to its start.
Span row_of(const Polygon& polygon, double y, const Point& origin, ImageSize image) {
  double left = image.width, right = -image.width;
  const auto touch = [&](double x) {
    left = std::min(left, std::trunc(x));
    right = std::max(right, std::trunc(x));
  };
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Point &a = polygon[(i + 1) % polygon.size()], &b = polygon[i];
    if (y < std::min(a.y, b.y) || y > std::max(a.y, b.y)) continue;
    if (a.y == b.y) {
      touch(a.x);
      touch(b.x);
    } else {
      touch(a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x));
    }
  }
  return {std::max(0L, whole(left + origin.x, image.width)),
          std::min(image.width - 1L, whole(right + origin.x, image.width))};
}

std::vector<Span> rows(Polygon polygon, const Point& origin, ImageSize image) {
  for (Point& p : polygon) p = {p.x - origin.x, p.y - origin.y};
  std::vector<Span> spans;
  for (int y = 0; y < image.height; ++y)
    spans.push_back(row_of(polygon, y - origin.y, origin, image));
  return spans;
}

double pixel_overlap(const Region& a, const Region& b, ImageSize image) {
  const Polygon first = whole_corners(a), second = whole_corners(b);
  // The toolkit draws into the part of the image that holds both.
  Point origin{static_cast<double>(image.width), static_cast<double>(image.height)};
  for (const Polygon* polygon : {&first, &second}) {
    for (const Point& p : *polygon) origin = {std::min(origin.x, p.x), std::min(origin.y, p.y)};
  }
  origin = {std::max(0.0, origin.x), std::max(0.0, origin.y)};
  const std::vector<Span> first_rows = rows(first, origin, image);
  const std::vector<Span> second_rows = rows(second, origin, image);
  long shared = 0, all = 0;
  for (std::size_t y = 0; y < first_rows.size(); ++y) {
    const Span &p = first_rows[y], &q = second_rows[y];
    const Span both{std::max(p.first, q.first), std::min(p.last, q.last)};
    shared += both.count();
    all += p.count() + q.count() - both.count();
  }
  return all > 0 ? static_cast<double>(shared) / static_cast<double>(all) : 1.0;
}

}  // namespace

double region_overlap(const Region& a, const Region& b, ImageSize image, OverlapRule rule) {
  require<InputError>(image.width > 0 && image.height > 0, "overlap in an image of ", image.width,
                      "x", image.height, " pixels: expected its size");
  return rule == OverlapRule::exact ? exact_overlap(a, b, image) : pixel_overlap(a, b, image);
}

}  // namespace atomtrack::vot
