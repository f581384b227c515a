// What comes before a vision model: the configuration that published models call their image processor
// (preprocessor_config.json, or image_processor in the newer processor_config.json), and the graph that does
// it: `preprocess`, from `image` (RGB words, see ops/resize_image.h) to `pixels` [1, 3, h, w].
//
// All spellings since 2021: sizes as numbers, pairs and {shortest_edge, longest_edge}, {height, width} or
// {max_height, max_width}; feature_extractor_type or image_processor_type, with Fast and Pil behind it; keys
// left out have the defaults of the processor named. Arithmetic is Pillow's (of several implementations that
// the reference has, the first). Pure; thread-safe. Errors: InvalidFile; Unsupported for a processor or a key
// that would change pixels and is not known.
#pragma once

#include "converter/model_plan.h"
#include "ops/resize_image.h"

#include <array>

namespace fovea {

struct ImageProcessor {
  ResizeImage resize; // without its operand
  std::array<float, 3> scale{1, 1, 1}, offset{0, 0, 0};
  std::string assumed; // a warning that says what stands for a configuration that is not there; else empty
};

/// Processors that models name. The last word of a configuration without a type.
enum class ImageProcessorType { Vit, Deit, Bit, Clip, Beit, ConvNext, MobileNet, Detr, Yolos, Segformer };

/// `fallback` and `image_size` are of the model: they stand for a configuration that names no processor, or
/// is not there at all.
ImageProcessor read_image_processor(const Source &source, ImageProcessorType fallback, uint32_t image_size);

/// The graph `preprocess` and its two small tensors, and the warning where there is one; it becomes the first
/// of the graphs that are run, if the plan already lists them.
void add_preprocess(const ImageProcessor &processor, ModelPlan &plan);

} // namespace fovea
