// ResNet (He et al., 2016): image classifiers with basic and bottleneck blocks, of any depth, in Hugging Face
// folders; the model without a head gives its pooled features.
#include "converter/architectures/architecture.h"

#include "converter/architectures/image_classifier.h"
#include "converter/architectures/residual_network.h"
#include "converter/features/image_processor.h"

namespace fovea {
namespace {

ModelPlan build(const Source &source, Encoding encoding) {
  const Config c = Config::parse(source.text("config.json").value_or("{}"), source.text_path("config.json"));
  const char *prefix = source.find("resnet.embedder.embedder.convolution.weight") ? "resnet." : "";
  const ResidualNetwork net = ResidualNetwork::from_config(c, prefix);
  const uint32_t n_classes = classes_of(source, "classifier.1.weight", net.width());

  ModelPlan plan;
  plan.architecture = "resnet";
  add_classifier_metadata(plan, source, c, n_classes);
  add_preprocess(read_image_processor(source, ImageProcessorType::ConvNext, 224), plan);
  Graph g("forward");
  add_classifier_head(g, net.build(g, add_image_input(g, net.channels())), n_classes);
  plan.graphs.emplace_back(g.name(), print_graph(g));
  net.add_tensors(plan, encoding);
  add_classifier_tensors(plan, "classifier.1", n_classes, net.width());
  return plan;
}

} // namespace

extern const Architecture kResnet;
const Architecture kResnet = {"resnet", {"resnet"}, build};

} // namespace fovea
