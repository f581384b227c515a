#include "layer/spirv_access.h"

#include "vk/spirv_ops.h"

#include <cstddef>

namespace fovea::layer {

using namespace spirv;

namespace {

constexpr uint32_t kBinding = 33; // a decoration

} // namespace

std::map<uint32_t, SlotAccess> slot_accesses(std::span<const uint32_t> words) {
  std::map<uint32_t, uint32_t> slot_of; // a variable's binding, and that of pointers into it
  std::map<uint32_t, SlotAccess> out;
  const auto touch = [&](uint32_t pointer, bool reads, bool writes) {
    const auto found = slot_of.find(pointer);
    if (found == slot_of.end()) return; // of the function's own, or shared by the workgroup
    out[found->second].reads |= reads;
    out[found->second].writes |= writes;
  };
  for (size_t at = kHeaderWords; at < words.size();) {
    const uint32_t opcode = words[at] & 0xFFFF, length = words[at] >> 16;
    if (length == 0 || length > words.size() - at) break;
    const auto w = words.subspan(at + 1, length - 1);
    at += length;
    const auto has = [&](size_t n) { return w.size() >= n; };
    if (opcode == OpDecorate && has(3) && w[1] == kBinding) {
      slot_of[w[0]] = w[2];
    } else if ((opcode == OpAccessChain || opcode == OpInBoundsAccessChain || opcode == OpPtrAccessChain ||
                opcode == OpCopyObject || opcode == OpImageTexelPointer) &&
               has(3)) {
      if (const auto base = slot_of.find(w[2]); base != slot_of.end()) slot_of[w[1]] = base->second;
    } else if ((opcode == OpLoad || opcode == OpAtomicLoad) && has(3)) {
      touch(w[2], true, false);
    } else if ((opcode == OpStore || opcode == OpAtomicStore) && has(1)) {
      touch(w[0], false, true);
    } else if (opcode == OpCopyMemory && has(2)) {
      touch(w[0], false, true);
      touch(w[1], true, false);
    } else if (opcode >= OpAtomicExchange && opcode <= OpAtomicXor && has(3)) {
      touch(w[2], true, true);
    } else if (opcode == OpFunctionCall) {
      for (size_t i = 3; i < w.size(); ++i) touch(w[i], true, true); // a pointer handed on: whatever it does
    }
  }
  return out;
}

} // namespace fovea::layer
