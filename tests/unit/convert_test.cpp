// The writing pipeline, with a plan of its own: streaming, classes, reports, and that a failure leaves what
// was there.
#include "converter/architectures/architecture.h"
#include "converter/convert.h"
#include "format/model_file.h"
#include "tests/support/error_text.h"
#include "tests/support/source_files.h"
#include "tests/support/temp_folder.h"

#include <cmath>
#include <doctest/doctest.h>

using namespace fovea;
using namespace fovea::test;

namespace {

std::vector<float> waves(size_t n) {
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) out[i] = std::sin(float(i) * 0.37f) * 0.1f;
  return out;
}

void write_source(const TempFolder &folder) {
  std::filesystem::create_directory(folder / "src");
  write_file(folder / "src/config.json", R"({"model_type":"test"})");
  write_file(
      folder / "src/model.safetensors",
      safetensors({f32_tensor("layer.weight", {6, 64}, waves(6 * 64)),
                   f32_tensor("layer.bias", {6}, waves(6)), f32_tensor("odd.weight", {4, 33}, waves(4 * 33)),
                   f32_tensor("pos", {3, 5}, waves(15)), f32_tensor("tied.weight", {6, 64}, waves(6 * 64))}));
}

ModelPlan plan() {
  ModelPlan out;
  out.architecture = "test";
  out.add("test.width", 64u);
  out.graphs = {{"main", "graph main\n"}};
  out.add_tensor("layer", {6, 64}, TensorClass::Matrix, "layer.weight");
  out.add_tensor("layer.bias", {6}, TensorClass::Exact, "layer.bias");
  out.add_tensor("odd", {4, 33}, TensorClass::Matrix, "odd.weight");
  out.add_tensor("pos", {3, 5}, TensorClass::Sensitive, "pos");
  out.add_computed("table", {4}, TensorClass::Index, [] { return std::vector<float>{3, 1, 2, 0}; });
  out.tensors.push_back(
      {"layer.t", {64, 6}, TensorClass::Exact, {{"layer.weight", {6, 64}}}, [](auto inputs) {
         return transpose(inputs[0], 6, 64);
       }});
  out.ignored = {"tied.*"};
  return out;
}

} // namespace

TEST_CASE("convert: each class gets its encoding, and values survive") {
  const TempFolder folder;
  write_source(folder);
  const Source source = open_source(folder / "src");
  for (const Encoding encoding : {Encoding::F32, Encoding::F16, Encoding::Q8, Encoding::Q4}) {
    const ConvertReport report = convert(source, plan(), folder / "out", {encoding, 1, {}});
    const ModelFile file(folder / "out");
    file.verify();
    CHECK(file.get_string("fovea.architecture") == "test");
    CHECK(file.get_u32("test.width") == 64);
    CHECK(file.graph_text("main") == "graph main\n");
    const Encoding plain = encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
    const Encoding odd = encoding == Encoding::F32 ? Encoding::F32 : Encoding::F16;
    CHECK(file.require("layer").type == TensorType{{6, 64}, encoding});
    CHECK(file.require("layer.bias").type == TensorType{{6}, Encoding::F32});
    CHECK(file.require("odd").type == TensorType{{4, 33}, odd});
    CHECK(file.require("pos").type == TensorType{{3, 5}, plain});
    CHECK(file.require("table").type == TensorType{{4}, Encoding::I32});
    std::vector<float> rows(6 * 64), transposed(64 * 6);
    file.decode_rows(file.require("layer"), 0, 6, rows);
    const auto expected = waves(6 * 64);
    double worst = 0;
    for (size_t i = 0; i < rows.size(); ++i)
      worst = std::max(worst, std::abs(double(rows[i]) - double(expected[i])));
    CHECK(worst == report.tensors[0].error.max_abs);
    CHECK(worst <= (encoding == Encoding::Q4 ? 0.012 : encoding == Encoding::Q8 ? 4.1e-4 : 5e-5));
    CHECK((worst == 0) == (encoding == Encoding::F32));
    file.decode_rows(file.require("layer.t"), 0, 64, transposed);
    CHECK(transposed[6 * 5 + 2] == expected[64 * 2 + 5]);
    CHECK(report.output_bytes == std::filesystem::file_size(folder / "out"));
    CHECK((report.tensors[2].note.empty()) == !is_quantized(encoding));
    CHECK(to_text(report, true).find("layer.bias") != std::string::npos);
  }
}

TEST_CASE("convert: q4 spares what four bits would damage, unless told not to") {
  std::string note;
  const auto encoding_of = [&](TensorClass tensor_class, Encoding wanted, bool pure) {
    note.clear();
    return output_type({"w", {6, 64}, tensor_class, {}, {}}, {wanted, 1, {}, pure}, note).encoding;
  };
  for (const TensorClass spared : {TensorClass::Vocabulary, TensorClass::Delicate}) {
    CHECK(encoding_of(spared, Encoding::Q4, false) == Encoding::Q8);
    CHECK(note.starts_with("kept at q8"));
    CHECK(encoding_of(spared, Encoding::Q4, true) == Encoding::Q4);
    CHECK(note.empty());
    for (const Encoding other : {Encoding::F32, Encoding::F16, Encoding::Q8})
      CHECK(encoding_of(spared, other, false) == other);
  }
  CHECK(encoding_of(TensorClass::Matrix, Encoding::Q4, false) == Encoding::Q4);
  CHECK(encoding_of(TensorClass::Sensitive, Encoding::Q4, true) == Encoding::F16);
  CHECK(matrix_class(384) == TensorClass::Delicate);
  CHECK(matrix_class(1280) == TensorClass::Matrix);
}

TEST_CASE("convert: pieces make the same file as one piece") {
  // 5 Mi elements: two pieces of 4 Mi, rows that do not divide them.
  const TempFolder folder;
  const uint64_t n = 163'841;
  std::filesystem::create_directory(folder / "src");
  write_file(folder / "src/config.json", "{}");
  const auto values = waves(n * 32);
  write_file(folder / "src/model.safetensors", safetensors({f32_tensor("w", {n, 32}, values)}));
  const Source source = open_source(folder / "src");
  ModelPlan streamed, whole;
  streamed.add_tensor("w", {n, 32}, TensorClass::Matrix, "w");
  whole.tensors.push_back(
      {"w", {n, 32}, TensorClass::Matrix, {{"w", {n, 32}}}, [](auto inputs) { return inputs[0]; }});
  uint64_t n_calls = 0, last = 0, total = 0;
  ConvertOptions options{Encoding::Q8, 0, [&](const Progress &p) {
                           CHECK(p.done_bytes >= last);
                           last = p.done_bytes;
                           total = p.total_bytes;
                           return ++n_calls > 0;
                         }};
  convert(source, streamed, folder / "a", options);
  CHECK(n_calls == 3);
  CHECK(last == total);
  convert(source, whole, folder / "b", {Encoding::Q8, 1, {}});
  CHECK(read_file(folder / "a") == read_file(folder / "b"));
}

TEST_CASE("convert: missing, misshaped and unexpected tensors are named together") {
  const TempFolder folder;
  write_source(folder);
  const Source source = open_source(folder / "src");
  ModelPlan bad = plan();
  bad.ignored.clear();
  bad.tensors[1].inputs[0].name = "layer.offset";
  bad.tensors[3].inputs[0].shape = {5, 3};
  CHECK(error_text([&] { convert(source, bad, folder / "out", {}); }) ==
        folder / "src: tensors do not fit the configuration (test): 1 missing: layer.offset; 1 of another "
                 "shape: pos "
                 "[3, 5] (expected [5, 3]); 2 not expected: layer.bias, tied.weight");
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
  for (int i = 0; i < 20; ++i) bad.add_tensor(concat("t", i), {1}, TensorClass::Exact, concat("absent", i));
  CHECK(error_text([&] { convert(source, bad, folder / "out", {}); }).find("absent6 and 13 more") !=
        std::string::npos);
}

TEST_CASE("convert: a failure or a stop leaves the existing output as it was") {
  const TempFolder folder;
  write_source(folder);
  const Source source = open_source(folder / "src");
  write_file(folder / "out", "precious");
  int calls = 0;
  ConvertOptions options{Encoding::Q4, 1, [&](const Progress &) { return ++calls < 3; }};
  CHECK_THROWS_AS(convert(source, plan(), folder / "out", options), Error);
  ModelPlan bad = plan();
  bad.tensors[4].combine = [](auto) { return std::vector<float>{1, 2, 3, 0.5f}; };
  CHECK(error_text([&] { convert(source, bad, folder / "out", {}); }) ==
        "tensor 'table': element [0, 3] is 0.5, which i32 cannot hold");
  CHECK(read_file(folder / "out") == "precious");
  CHECK(folder.n_files() == 2);
  convert(source, plan(), folder / "out", {});
  CHECK_NOTHROW(ModelFile(folder / "out").verify());
  CHECK(folder.n_files() == 2);
}

TEST_CASE("convert: targets that cannot be are refused before work") {
  const TempFolder folder;
  write_source(folder);
  const Source source = open_source(folder / "src");
  int calls = 0;
  const ConvertOptions options{Encoding::F16, 1, [&](const Progress &) { return ++calls > 0; }};
  const std::string weights = folder / "src/model.safetensors";
  CHECK(error_text([&] { convert(source, plan(), weights, options); }) ==
        weights + ": is part of the source; give another output");
  CHECK(error_text([&] { convert(source, plan(), folder / "no/out", options); }).find("cannot create") !=
        std::string::npos);
  CHECK(error_text([&] { convert(source, plan(), folder.path(), options); }).find("is a directory") !=
        std::string::npos);
  CHECK_THROWS_AS(convert(source, plan(), folder / "out", {Encoding::I32, 1, {}}), Error);
  CHECK(calls == 0);
  CHECK(error_text([&] {
          (void)convert(folder / "src", folder / "out", options);
        }).find("model type 'test' is not known") != std::string::npos);
}

TEST_CASE("convert: graphs must parse and use tensors that are there") {
  const TempFolder folder;
  write_source(folder);
  const Source source = open_source(folder / "src");
  const auto with = [&](const std::string &text) {
    ModelPlan bad = plan();
    bad.graphs = {{"main", text}};
    return error_text([&] { convert(source, bad, folder / "out", {}); });
  };
  const std::string head = "graph main\n  in x f32 [T, 64]\n";
  CHECK(with(head + "  out y = linear(x, layer, layer.bias)\n") == "no error");
  CHECK(with(head + "  out y = linear(x, layer, nothing)\n") ==
        "graph 'main' uses the tensor 'nothing', which is not in the file");
  CHECK(with("graph other\n") == "graph 'main' calls itself 'other'");
  CHECK(with(head + "  out y = frobnicate(x)\n").find("frobnicate") != std::string::npos);
}

TEST_CASE("convert: patterns") {
  CHECK(matches_pattern("a.b.c", "a.*.c"));
  CHECK(matches_pattern("a.b.c", "*"));
  CHECK(matches_pattern("aXbXc", "a*b*c"));
  CHECK(matches_pattern("abab", "*ab"));
  CHECK_FALSE(matches_pattern("abc", "a*b"));
  CHECK_FALSE(matches_pattern("", "a"));
  CHECK(matches_pattern("", "**"));
}
