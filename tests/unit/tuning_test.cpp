// Tables that put one variant before the others, with forged devices and forged tables: no GPU.
#include "kernels/catalogue.h"
#include "kernels/select.h"
#include "kernels/select_row.h"
#include "kernels/tuning.h"
#include "ops/registry.h"
#include "support/error_text.h"
#include "tasks/tune.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace fovea;
using test::error_text;

namespace {

DeviceCaps device_of(uint32_t driver_id, uint32_t lanes) {
  DeviceCaps caps;
  caps.type = DeviceType::Software;
  caps.driver_id = driver_id;
  caps.subgroup_size = caps.min_subgroup_size = caps.max_subgroup_size = lanes;
  caps.subgroup_arithmetic = caps.subgroup_shuffle = caps.subgroup_ballot = true;
  return caps;
}

const DeviceCaps kLlvmpipe = device_of(kLlvmpipeDriverId, 8),
                 kSwiftShader = device_of(kSwiftShaderDriverId, 4);

LinearShape linear(uint32_t n_rows, uint32_t n_cols, uint32_t k, Encoding weights) {
  LinearShape s;
  s.n_rows = n_rows;
  s.n_cols = n_cols;
  s.k = k;
  s.weights = weights;
  s.aligned = s.texels = true;
  return s;
}

DeviceCaps with_row(DeviceCaps caps, const ChoiceKey &key, const VariantId &variant) {
  auto table = std::make_shared<TuningTable>();
  table->rows[key] = variant;
  caps.tuning = table;
  return caps;
}

constexpr uint64_t kKey = 0x0123456789ABCDEF;

const TuningTable kTable{
    {{{KernelId::linear_base_q8, {256, 3072, 768, 0}}, {KernelId::linear_subgroup_q8, {8, 0}}},
     {{KernelId::attention_base, {1, 512, 64, 1}}, {KernelId::attention_subgroup_few, {}}}}};

/// print_tuning() of kTable with a part replaced.
std::string text_with(const std::string &what, const std::string &by) {
  std::string text = print_tuning(kTable, kKey, "a device");
  const size_t at = text.find(what);
  REQUIRE(at != text.npos);
  return text.replace(at, what.size(), by);
}

std::string parse_error(const std::string &text) {
  return error_text([&] { parse_tuning(text, kKey); });
}

} // namespace

TEST_CASE("tuning: classes of sizes") {
  std::vector<uint32_t> classes, rows;
  for (const uint64_t size : {0, 1, 2, 3, 4, 5, 6, 7, 384, 385, 576, 51865})
    classes.push_back(size_class(size));
  CHECK(classes == std::vector<uint32_t>{1, 1, 2, 3, 4, 6, 6, 8, 384, 512, 768, 65536});
  CHECK(size_class(UINT64_MAX) == 1u << 31);
  for (const uint64_t n : {1, 7, 8, 9, 17, 64, 65, 257, 100000}) rows.push_back(rows_class(n));
  CHECK(rows == std::vector<uint32_t>{1, 7, 8, 16, 64, 64, 256, 1024, 1024});
}

TEST_CASE("tuning: every choice knows its key and what it was among, itself first where it was chosen") {
  const LinearShape s = linear(100, 3000, 768, Encoding::Q8);
  for (const KernelChoice &c : all_linear_variants(kLlvmpipe, s)) {
    CHECK(c.key == ChoiceKey{KernelId::linear_base_q8, {256, 3072, 768, 0}});
    CHECK(std::count(c.among.begin(), c.among.end(), c.id()) == 1);
  }
  const LinearChoice chosen = select_linear(kLlvmpipe, s);
  CHECK(chosen.among.front() == chosen.id());
  CHECK(chosen.among.back() == VariantId{KernelId::linear_base_q8});
  const KernelChoice row =
      select_row_kernel(kLlvmpipe, 100, 384, KernelId::layer_norm, KernelId::layer_norm_subgroup);
  CHECK(row.key == ChoiceKey{KernelId::layer_norm, {256, 384, 0, 0}});
  CHECK(row.among.size() == 2);
}

TEST_CASE("tuning: a row of the table decides for its class alone, by kernel and tile") {
  const LinearShape s = linear(100, 3000, 768, Encoding::Q8);
  for (const VariantId &wanted : select_linear(kLlvmpipe, s).among) {
    CAPTURE(to_string(wanted));
    const DeviceCaps tuned = with_row(kLlvmpipe, select_linear(kLlvmpipe, s).key, wanted);
    const LinearChoice choice = select_linear(tuned, s);
    CHECK(choice.id() == wanted);
    // Nothing else changes.
    CHECK(choice.among.size() == select_linear(kLlvmpipe, s).among.size());
    for (const LinearShape &other :
         {linear(100, 3000, 1024, Encoding::Q8), linear(300, 3000, 768, Encoding::Q8),
          linear(100, 3000, 768, Encoding::F16)})
      CHECK(select_linear(tuned, other).id() == select_linear(kLlvmpipe, other).id());
  }
}

TEST_CASE("tuning: a row that names what the shape or the device does not admit changes nothing") {
  const LinearShape s = linear(100, 3000, 768, Encoding::Q8);
  const LinearChoice own = select_linear(kLlvmpipe, s);
  for (const VariantId &forged :
       {VariantId{KernelId::softmax}, VariantId{KernelId::linear_subgroup_q4, {16}},
        VariantId{KernelId::linear_subgroup_q8, {1u << 30, 7}}, VariantId{KernelId::linear_vector_base_q8},
        VariantId{KernelId::linear_broadcast_q8}, VariantId{KernelId(0xFFFFFFF0u)}}) {
    const LinearChoice choice = select_linear(with_row(kLlvmpipe, own.key, forged), s);
    CHECK(choice.id() == own.id());
    CHECK(choice.spec == own.spec);
    CHECK(choice.groups == own.groups);
  }
  // What the driver has refused stays refused.
  DeviceCaps caps = with_row(kLlvmpipe, own.key, {KernelId::linear_subgroup_q8, {16}});
  CHECK(select_linear(caps, s).id() == VariantId{KernelId::linear_subgroup_q8, {16}});
  caps.disabled_kernels.insert(uint32_t(KernelId::linear_subgroup_q8));
  CHECK(select_linear(caps, s).id() == own.id());
  // Not aligned: none of the subgroup kernels is admissible, whatever the table says.
  LinearShape ragged = s;
  ragged.aligned = false;
  CHECK(select_linear(with_row(kLlvmpipe, own.key, {KernelId::linear_subgroup_q8, {16}}), ragged).kernel ==
        KernelId::linear_base_q8);
}

TEST_CASE("tuning: the rows for SwiftShader, and a measured row before them") {
  const LinearShape many = linear(100, 384, 384, Encoding::F16), few = linear(1, 384, 384, Encoding::Q4);
  CHECK(select_linear(kSwiftShader, many).kernel == KernelId::linear_broadcast_f16);
  CHECK(select_linear(kSwiftShader, few).kernel == KernelId::linear_vector_broadcast_q4);
  DeviceCaps other = kSwiftShader;
  other.driver_id = 0;
  CHECK(select_linear(other, many).kernel == KernelId::linear_subgroup_f16);
  other = kSwiftShader;
  other.subgroup_ballot = false; // no broadcasts
  CHECK(select_linear(other, few).kernel == KernelId::linear_vector_subgroup_q4);
  const VariantId wanted{KernelId::linear_vector_base_q4};
  CHECK(select_linear(with_row(kSwiftShader, select_linear(kSwiftShader, few).key, wanted), few).id() ==
        wanted);
}

TEST_CASE("tuning: a table is what it was after printing and parsing") {
  const std::string text = print_tuning(kTable, kKey, "a\ndevice");
  CHECK(parse_tuning(text, kKey).rows == kTable.rows);
  CHECK(text == "fovea tuning 1\nkey 0123456789abcdef\ndevice a device\n"
                "linear_base_q8 256 3072 768 0 = linear_subgroup_q8 8 0\n"
                "attention_base 1 512 64 1 = attention_subgroup_few 0 0\nend 2\n");
  CHECK(parse_tuning(print_tuning({}, 1, ""), 1).rows.empty());
}

TEST_CASE("tuning: another device's table, and damaged ones") {
  CHECK(error_text([&] { parse_tuning(print_tuning(kTable, kKey, "x"), kKey + 1); }) ==
        "line 2: measured with another driver, device or version of Fovea");
  CHECK(parse_error("") == "line 1: the text ends in the middle");
  CHECK(parse_error("fovea tuning 2\n").find("line 1: expected 'fovea tuning 1'") == 0);
  CHECK(parse_error(text_with("0123456789abcdef", "0123456789abcdeg")) == "line 2: the key is no number");
  CHECK(parse_error(text_with("linear_subgroup_q8", "linear_magic")) ==
        "line 4: no kernel is named 'linear_magic'");
  CHECK(parse_error(text_with("3072", "-1")) == "line 4: '-1' is no number");
  CHECK(parse_error(text_with("3072", "99999999999")) == "line 4: '99999999999' is no number");
  CHECK(parse_error(text_with(" 8 0", " 8")).find("line 4: expected a kernel") == 0);
  CHECK(parse_error(text_with(" = ", " : ")).find("line 4: expected a kernel") == 0);
  CHECK(parse_error(text_with("end 2", "end 3")) == "line 6: 2 rows before 'end 3'");
  CHECK(parse_error(text_with("end 2\n", "end 2\nmore\n")) == "line 6: 2 rows before 'end 2'");
  const std::string row = "linear_base_q8 256 3072 768 0 = linear_subgroup_q8 8 0\n";
  CHECK(parse_error(text_with(row, row + row)) == "line 5: a second row for the same shapes");
  // Cut anywhere, or with any byte changed: an error or a table, never anything else.
  const std::string whole = print_tuning(kTable, kKey, "d");
  for (size_t i = 0; i < whole.size(); ++i) {
    CHECK(parse_error(whole.substr(0, i)) != "no error");
    for (const char c : {'\0', '\n', ' ', '9', '\xff'}) {
      std::string changed = whole;
      changed[i] = c;
      parse_error(changed);
    }
  }
  std::string many = "fovea tuning 1\nkey 0123456789abcdef\ndevice d\n";
  for (int i = 0; i < 10'001; ++i) many += concat("softmax 1 ", i, " 0 0 = softmax 0 0\n");
  CHECK(parse_error(many + "end 10001\n").find("more than 10000 rows") != std::string::npos);
}

TEST_CASE("tuning: the standard set is made of graphs") {
  const std::vector<StandardGraph> graphs = standard_graphs();
  CHECK(graphs.size() > 30);
  for (const StandardGraph &g : graphs) {
    INFO(g.text);
    CHECK(parse_graph(g.text, op_table()).name() == g.name);
    CHECK(!g.sizes.empty());
  }
}
