// KernelCase: a small piece of work, as text, that makes a device run certain kernel variants, to be compared
// with the scalar reference: one statement of a graph, with what it takes as inputs of the same types, or of
// smaller sizes that lead to the very same variants. Made from a plan without a GPU, run by CaseRunner, in
// this process or another. Pure; thread-safe.
#pragma once

#include "exec/kernel_gate.h"
#include "exec/kernel_variant.h"
#include "kernels/tuning.h"
#include "reference/interpreter.h"

namespace fovea::check {

struct KernelCase {
  std::string title;                                       // "decode: linear = h.3"
  std::string graph_text;                                  // graph "extract"
  std::vector<std::pair<std::string, TensorType>> weights; // in file order
  StepValues steps;
  bool fuse_norms = true;
  std::set<uint32_t> disabled_kernels;
  TuningTable preferred; // so that selection comes to the variants
  /// What it runs: the kernels of its last statement, in order.
  std::vector<vk::KernelVariant> variants;
  uint64_t terms = 1; // longest sum: for the tolerance
  /// What its inputs, states and tensors are called where it comes from. Does not go to another process.
  std::map<std::string, std::string> origin;
};

/// What a case may cost the reference: multiplications and additions, about.
inline constexpr uint64_t kSmallCase = 4'000'000;
inline constexpr uint64_t kRealCase = 2'000'000'000;

class CaseMaker {
public:
  explicit CaseMaker(const PlannedGraph &planned);
  /// The statements that dispatch something, ascending.
  const std::vector<uint32_t> &statements() const { return statements_; }
  std::vector<vk::KernelVariant> variants(uint32_t statement) const;
  /// The same for statements that do the same work by the same kernels: op, fields, types, variants.
  std::string signature(uint32_t statement) const;
  /// Nothing when the statement's variants could not be had outside of its graph. Sizes shrink until the work
  /// is at most `budget`, or as far as the variants stay the same.
  std::optional<KernelCase> make(uint32_t statement, uint64_t budget) const;

private:
  struct Trial;
  std::optional<Trial> attempt(uint32_t statement, std::span<const uint32_t> statements, bool copies,
                               const std::map<uint64_t, uint64_t> &sizes) const;
  std::vector<uint32_t> with_producers(uint32_t statement, bool all_norms) const;
  std::vector<const Dispatch *> dispatches(uint32_t statement) const;

  const PlannedGraph planned_;
  std::vector<TensorType> types_;
  std::vector<uint32_t> statements_;
  std::map<uint32_t, uint32_t> producers_; // by value: the statement
};

/// The same work by every other variant that selection admits for it on a device with these limits.
std::vector<KernelCase> other_variants(const KernelCase &of, const DeviceCaps &caps);
/// Fills in what follows from the graph and the tensors: title, steps, variants, terms.
void complete(KernelCase &c, const Graph &graph, const DeviceCaps &caps);
/// "1x384 q8:1536x384": what goes into the case's graph.
std::string shapes_of(const KernelCase &c);

/// Plans a case's graph as a session on a device with these limits would.
Plan plan_case(const KernelCase &c, const Graph &graph, const DeviceCaps &caps);
/// The device's limits as the case wants them.
void adjust_caps(const KernelCase &c, DeviceCaps &caps);

/// Whether these kernels are those wanted: a case need not launch in pieces what is small, only what is to
/// be.
bool do_as_wanted(std::span<const vk::KernelVariant> got, std::span<const vk::KernelVariant> wanted);

/// "linear_texel_q8 8 64 4 0": the subgroup size, then the constants; "pieces" where grids are launched in
/// parts.
std::string print_variant(const vk::KernelVariant &variant);
/// Error InvalidArgument.
vk::KernelVariant parse_variant(std::string_view text);
/// Cases as text, for another process. parse_cases(): Error InvalidArgument.
std::string print_cases(std::span<const KernelCase> cases);
std::vector<KernelCase> parse_cases(std::string_view text);

} // namespace fovea::check
