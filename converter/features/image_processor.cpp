#include "converter/features/image_processor.h"

#include "converter/json.h"
#include "graph/graph.h"
#include "ops/normalize_image.h"

#include <algorithm>
#include <cmath>

namespace fovea {
namespace {

using Type = ImageProcessorType;

// Resampling numbers of Pillow.
constexpr ImageFilter kPillowFilters[] = {ImageFilter::Nearest, ImageFilter::Lanczos, ImageFilter::Bilinear,
                                          ImageFilter::Bicubic, ImageFilter::Box,     ImageFilter::Hamming};

constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f}, kImageNetMean = {0.485f, 0.456f, 0.406f},
                               kImageNetDeviation = {0.229f, 0.224f, 0.225f},
                               kClipMean = {0.48145466f, 0.4578275f, 0.40821073f},
                               kClipDeviation = {0.26862954f, 0.26130258f, 0.27577711f};

// What a processor does where the file says nothing.
struct Row {
  Type type;
  const char *name; // …ImageProcessor
  ImageFilter filter;
  bool square;   // a size given as one number is both sides, not the shorter
  uint32_t size; // 0: the model's
  uint32_t longest;
  uint32_t crop; // 0: none unless asked for
  std::array<float, 3> mean, deviation;
};
// clang-format off
constexpr Row kRows[] = {
    {Type::Vit,       "ViT",         ImageFilter::Bilinear, true,  0,   0,    0,   kHalf, kHalf},
    {Type::Deit,      "DeiT",        ImageFilter::Bicubic,  true,  256, 0,    224, kHalf, kHalf},
    {Type::Bit,       "Bit",         ImageFilter::Bicubic,  false, 0,   0,    224, kClipMean, kClipDeviation},
    {Type::Clip,      "CLIP",        ImageFilter::Bicubic,  false, 0,   0,    224, kClipMean, kClipDeviation},
    {Type::Beit,      "Beit",        ImageFilter::Bicubic,  true,  0,   0,    0,   kHalf, kHalf},
    {Type::ConvNext,  "ConvNext",    ImageFilter::Bicubic,  false, 384, 0,    0,   kHalf, kHalf},
    {Type::MobileNet, "MobileNetV2", ImageFilter::Bilinear, false, 256, 0,    224, kHalf, kHalf},
    {Type::MobileNet, "MobileNetV1", ImageFilter::Bilinear, false, 256, 0,    224, kHalf, kHalf},
    {Type::Detr,      "Detr",        ImageFilter::Bilinear, false, 800, 1333, 0,   kImageNetMean, kImageNetDeviation},
    {Type::Yolos,     "Yolos",       ImageFilter::Bilinear, false, 800, 1333, 0,   kImageNetMean, kImageNetDeviation},
    {Type::Segformer, "Segformer",   ImageFilter::Bilinear, true,  512, 0,    0,   kImageNetMean, kImageNetDeviation},
};
// clang-format on

Config read_config(const Source &source) {
  if (const auto text = source.text("preprocessor_config.json"))
    return Config::parse(*text, source.text_path("preprocessor_config.json"));
  if (const auto text = source.text("processor_config.json")) {
    const std::string path = source.text_path("processor_config.json");
    if (const Json *inner = Config::parse(*text, path).find("image_processor")) return {*inner, path};
  }
  return {Json::object(), source.text_path("preprocessor_config.json")};
}

const Row &row_of(const Config &c, Type fallback) {
  auto name = c.find_string("image_processor_type");
  if (!name) name = c.find_string("feature_extractor_type");
  if (!name)
    return *std::find_if(std::begin(kRows), std::end(kRows),
                         [&](const Row &r) { return r.type == fallback; });
  std::string_view stem = *name;
  for (const char *suffix : {"Fast", "Pil", "ImageProcessor", "FeatureExtractor"})
    if (stem.ends_with(suffix)) stem.remove_suffix(std::string_view(suffix).size());
  for (const Row &row : kRows)
    if (stem == row.name) return row;
  fail(ErrorCode::Unsupported, c.path(), ": the image processor '", printable(*name), "' is not known");
}

class Reader {
public:
  Reader(const Source &source, Type fallback, uint32_t image_size)
      : c_(read_config(source)), row_(row_of(c_, fallback)), image_size_(image_size) {}

  ImageProcessor read() {
    refuse_unknown();
    if (c_.find_bool("do_resize").value_or(true)) read_size();
    const bool crops = row_.crop && row_.type != Type::ConvNext;
    if (c_.find_bool("do_center_crop").value_or(crops)) read_crop();
    read_numbers();
    if (c_.empty()) out_.assumed = assumption();
    return std::move(out_);
  }

private:
  // Keys that would change the pixels and that no processor above has.
  void refuse_unknown() const {
    for (const char *key : {"do_flip_channel_order", "offset", "rescale_offset", "do_thumbnail",
                            "do_align_long_axis", "do_affine_transform", "do_image_splitting", "include_top"})
      if (const Json *value = c_.find(key); value && value->is_boolean() && value->get<bool>())
        fail(ErrorCode::Unsupported, c_.path(), ": '", key,
             "' is true; no processor that Fovea knows has it");
    if (c_.find("pad_size") && c_.find_bool("do_pad").value_or(false))
      fail(ErrorCode::Unsupported, c_.path(), ": 'pad_size' is given; images are not padded");
  }

  uint32_t side(const Json &value, std::string_view key) const {
    if (!value.is_number_unsigned() || value.get<uint64_t>() == 0 || value.get<uint64_t>() > 1 << 15)
      fail(ErrorCode::InvalidFile, c_.path(), ": '", key, "' is ", printable(value.dump()),
           ", expected a number of pixels up to 32768");
    return value.get<uint32_t>();
  }

  // One of an object's sizes; 0 when it is not there.
  uint32_t member(const Json &object, const char *key) const {
    const auto found = object.find(key);
    return found == object.end() || found->is_null() ? 0 : side(*found, key);
  }

  void read_size() {
    ResizeImage &r = out_.resize;
    if (const auto number = c_.find("resample")) {
      if (!number->is_number_unsigned() || number->get<uint64_t>() >= std::size(kPillowFilters))
        fail(ErrorCode::Unsupported, c_.path(), ": 'resample' is ", printable(number->dump()),
             ", expected 0 to 5");
      r.filter = kPillowFilters[number->get<uint64_t>()];
    } else {
      r.filter = row_.filter;
    }
    if (const Json *size = c_.find("size"))
      given_size(*size);
    else
      default_size();
    if (row_.type == Type::ConvNext) crop_of_size();
    if (row_.type == Type::Yolos && r.shortest && r.longest) r.multiple = 16;
    if (const auto divisor = c_.find_u32("size_divisor"); divisor && *divisor) r.multiple = *divisor;
  }

  void given_size(const Json &size) {
    ResizeImage &r = out_.resize;
    if (size.is_object()) {
      r.shortest = member(size, "shortest_edge");
      r.longest = member(size, "longest_edge");
      r.height = member(size, "height");
      r.width = member(size, "width");
      r.max_height = member(size, "max_height");
      r.max_width = member(size, "max_width");
      const int n_rules = (r.shortest != 0) + (r.height && r.width) + (r.max_height && r.max_width);
      if (n_rules != 1 || !r.height != !r.width || !r.max_height != !r.max_width)
        fail(ErrorCode::Unsupported, c_.path(), ": 'size' is ", printable(size.dump()),
             ", expected shortest_edge (and longest_edge), height and width, or max_height and max_width");
    } else if (size.is_array() && size.size() == 2) {
      r.height = side(size[0], "size");
      r.width = side(size[1], "size");
    } else if (row_.square) {
      r.height = r.width = side(size, "size");
    } else {
      r.shortest = side(size, "size");
      if (row_.longest) r.longest = c_.find_u32("max_size").value_or(row_.longest);
    }
  }

  void default_size() {
    ResizeImage &r = out_.resize;
    // A processor's own size goes with its crop of 224: in proportion for models of another size.
    const uint32_t size = row_.size == 0 ? image_size_
                          : row_.crop && image_size_ != 224u
                              ? uint32_t(uint64_t(row_.size) * image_size_ / row_.crop)
                              : row_.size;
    if (row_.square)
      r.height = r.width = size;
    else
      r.shortest = size;
    r.longest = row_.longest;
  }

  // ConvNext's: small sizes are the middle of a larger image, large ones the whole, squeezed.
  void crop_of_size() {
    ResizeImage &r = out_.resize;
    if (r.shortest == 0)
      fail(ErrorCode::Unsupported, c_.path(),
           ": 'size' has no shortest_edge, which this image processor needs");
    const uint32_t edge = r.shortest;
    if (edge >= 384) {
      r.shortest = 0;
      r.height = r.width = edge;
      return;
    }
    const double part = c_.find_number("crop_pct").value_or(224.0 / 256.0);
    if (!(part > 0.01 && part <= 1)) fail(ErrorCode::InvalidFile, c_.path(), ": 'crop_pct' is ", part);
    r.shortest = uint32_t(edge / part);
    r.crop_height = r.crop_width = edge;
  }

  void read_crop() {
    ResizeImage &r = out_.resize;
    uint32_t height = image_size_, width = image_size_;
    if (const Json *size = c_.find("crop_size")) {
      if (size->is_object()) {
        height = member(*size, "height");
        width = member(*size, "width");
      } else if (size->is_array() && size->size() == 2) {
        height = side((*size)[0], "crop_size");
        width = side((*size)[1], "crop_size");
      } else {
        height = width = side(*size, "crop_size");
      }
      if (!height || !width)
        fail(ErrorCode::Unsupported, c_.path(), ": 'crop_size' is ", printable(size->dump()),
             ", expected height and width");
    }
    if (r.crop_height && (r.crop_height < height || r.crop_width < width))
      fail(ErrorCode::Unsupported, c_.path(), ": 'crop_size' is larger than the crop by 'crop_pct'");
    r.crop_height = height;
    r.crop_width = width;
  }

  std::array<float, 3> numbers(const char *key, const std::array<float, 3> &fallback) const {
    const Json *value = c_.find(key);
    if (!value) return fallback;
    std::array<float, 3> out{};
    for (size_t i = 0; i < 3; ++i) {
      const Json *element = value->is_array() && value->size() == 3 ? &(*value)[i] : value;
      if (!element->is_number() || !std::isfinite(element->get<float>()))
        fail(ErrorCode::Unsupported, c_.path(), ": '", key, "' is ", printable(value->dump()),
             ", expected a number or three");
      out[i] = element->get<float>();
    }
    return out;
  }

  void read_numbers() {
    const double factor = c_.find_bool("do_rescale").value_or(true)
                              ? c_.find_number("rescale_factor").value_or(1.0 / 255.0)
                              : 1.0;
    const bool normalizes = c_.find_bool("do_normalize").value_or(true);
    const auto mean = numbers("image_mean", row_.mean), deviation = numbers("image_std", row_.deviation);
    for (size_t i = 0; i < 3; ++i) {
      if (normalizes && deviation[i] == 0)
        fail(ErrorCode::InvalidFile, c_.path(), ": 'image_std' has a zero");
      out_.scale[i] = float(normalizes ? factor / deviation[i] : factor);
      out_.offset[i] = normalizes ? -mean[i] / deviation[i] : 0.0f;
    }
  }

  std::string assumption() const {
    const ResizeImage &r = out_.resize;
    const auto three = [](const std::array<float, 3> &v) { return concat(v[0], " ", v[1], " ", v[2]); };
    std::string size = r.shortest ? concat("shorter side ", r.shortest) : concat(r.width, " x ", r.height);
    if (r.shortest && r.longest) size += concat(", longer at most ", r.longest);
    if (r.crop_width) size += concat(", the middle ", r.crop_width, " x ", r.crop_height);
    return concat(c_.path(), ": is not there; pictures will be prepared with ", row_.name,
                  "ImageProcessor's defaults (", size, ", mean ", three(row_.mean), ", deviation ",
                  three(row_.deviation), "), which may not be what the model was trained with");
  }

  Config c_;
  const Row &row_;
  uint32_t image_size_;
  ImageProcessor out_;
};

} // namespace

ImageProcessor read_image_processor(const Source &source, ImageProcessorType fallback, uint32_t image_size) {
  return Reader(source, fallback, image_size).read();
}

void add_preprocess(const ImageProcessor &processor, ModelPlan &plan) {
  if (!processor.assumed.empty()) plan.warn(processor.assumed);
  Graph g("preprocess");
  ResizeImage resize = processor.resize;
  resize.image = g.input("image", Encoding::I32, {"H", "W"});
  const Value bytes = g.add("bytes", resize);
  g.output("pixels", NormalizeImage{bytes, g.weight("image.scale"), g.weight("image.offset")});
  plan.graphs.emplace_back(g.name(), print_graph(g));
  for (auto &[key, value] : plan.metadata)
    if (key == "fovea.run.graphs")
      if (auto *names = std::get_if<std::vector<std::string>>(&value))
        names->insert(names->begin(), g.name());
  const auto add = [&](const char *name, const std::array<float, 3> &values) {
    plan.add_computed(name, {3}, TensorClass::Exact,
                      [values] { return std::vector<float>(values.begin(), values.end()); });
  };
  add("image.scale", processor.scale);
  add("image.offset", processor.offset);
}

} // namespace fovea
