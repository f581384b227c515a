// A shortened sequence is of steps. A step: a head byte (high half: how many bytes follow as they are; low
// half: how many the run has, less kMinRun; 15: a varint of the rest follows), those bytes, then how far back
// the run begins, as a varint; 0: as far as the last one. The last step may end after its bytes.
#include "kernels/byte_codec.h"

#include "base/error.h"

#include <algorithm>
#include <unordered_map>

namespace fovea {
namespace {

constexpr size_t kMinRun = 3, kNibble = 15;
constexpr size_t kCandidates = 64; // earlier places that are looked at for a run

[[noreturn]] void damaged(const char *what) { fail(ErrorCode::Internal, "a packed kernel ", what); }

struct Run {
  size_t length = 0, distance = 0;
  /// Bytes saved.
  int64_t gain = 0;
};

/// The places where each run of kMinRun bytes occurred, latest last.
class Finder {
public:
  explicit Finder(Bytes all) : all_(all) {}

  void add(size_t at) {
    if (at + kMinRun <= all_.size()) places_[key(at)].push_back(at);
  }
  Run best(size_t at, size_t last_distance) const {
    Run best;
    if (at + kMinRun > all_.size()) return best;
    if (last_distance && last_distance <= at) consider(best, at, last_distance, last_distance);
    const auto found = places_.find(key(at));
    if (found == places_.end()) return best;
    size_t n = 0;
    for (auto place = found->second.rbegin(); place != found->second.rend() && n < kCandidates; ++place, ++n)
      consider(best, at, at - *place, last_distance);
    return best;
  }

private:
  uint32_t key(size_t at) const {
    return all_[at] | uint32_t(all_[at + 1]) << 8 | uint32_t(all_[at + 2]) << 16;
  }
  void consider(Run &best, size_t at, size_t distance, size_t last_distance) const {
    size_t n = 0;
    while (at + n < all_.size() && all_[at + n] == all_[at + n - distance]) ++n;
    if (n < kMinRun) return;
    const int64_t cost = 1 + (distance == last_distance || distance < 128 ? 1 : distance < 16384 ? 2 : 3);
    const int64_t gain = int64_t(n) - cost;
    if (gain > best.gain) best = {n, distance, gain};
  }

  Bytes all_;
  std::unordered_map<uint32_t, std::vector<size_t>> places_;
};

void put_step(std::vector<uint8_t> &out, Bytes plain, const Run &run, size_t last_distance) {
  const size_t more = run.length ? run.length - kMinRun : 0;
  out.push_back(uint8_t(std::min(plain.size(), kNibble) << 4 | std::min(more, kNibble)));
  if (plain.size() >= kNibble) put_varint(out, plain.size() - kNibble);
  if (more >= kNibble) put_varint(out, more - kNibble);
  out.insert(out.end(), plain.begin(), plain.end());
  if (run.length) put_varint(out, run.distance == last_distance ? 0 : run.distance);
}

} // namespace

void put_varint(std::vector<uint8_t> &out, uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(uint8_t(value | 128));
  out.push_back(uint8_t(value));
}

uint8_t ByteCursor::byte() { return take(1)[0]; }

uint64_t ByteCursor::varint() {
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    const uint8_t b = byte();
    value |= uint64_t(b & 127) << shift;
    if (b < 128) return value;
  }
  damaged("has a number without an end");
}

Bytes ByteCursor::take(size_t n) {
  if (n > rest_.size()) damaged("is truncated");
  const Bytes taken = rest_.first(n);
  rest_ = rest_.subspan(n);
  return taken;
}

std::vector<uint8_t> shorten(Bytes bytes, Bytes dictionary) {
  std::vector<uint8_t> all(dictionary.begin(), dictionary.end()), out;
  all.insert(all.end(), bytes.begin(), bytes.end());
  Finder finder(all);
  for (size_t i = 0; i < dictionary.size(); ++i) finder.add(i);
  size_t plain = dictionary.size(), last_distance = 0; // where bytes that are still to be written begin
  for (size_t at = plain; at < all.size();) {
    Run run = finder.best(at, last_distance);
    finder.add(at);
    if (run.gain > 0 && finder.best(at + 1, last_distance).gain > run.gain + 1)
      run = {}; // a better one is next
    if (run.gain <= 0) {
      ++at;
      continue;
    }
    put_step(out, Bytes(all).subspan(plain, at - plain), run, last_distance);
    for (size_t i = 1; i < run.length; ++i) finder.add(at + i);
    at += run.length;
    plain = at;
    last_distance = run.distance;
  }
  if (plain < all.size()) put_step(out, Bytes(all).subspan(plain), {}, 0);
  return out;
}

std::vector<uint8_t> lengthen(Bytes shortened, size_t n_bytes, Bytes dictionary) {
  std::vector<uint8_t> all(dictionary.begin(), dictionary.end());
  const size_t end = dictionary.size() + n_bytes;
  all.reserve(end);
  ByteCursor in(shortened);
  size_t distance = 0;
  while (all.size() < end) {
    const uint8_t head = in.byte();
    size_t plain = head >> 4, run = head & kNibble;
    if (plain == kNibble) plain += in.varint();
    if (run == kNibble) run += in.varint();
    if (plain > end - all.size()) damaged("is too long");
    const Bytes taken = in.take(plain);
    all.insert(all.end(), taken.begin(), taken.end());
    if (all.size() == end) break;
    if (const uint64_t given = in.varint()) distance = given;
    run += kMinRun;
    if (distance == 0 || distance > all.size() || run > end - all.size())
      damaged("refers to what is not there");
    for (size_t i = 0; i < run; ++i) all.push_back(all[all.size() - distance]);
  }
  if (!in.empty()) damaged("goes on after its end");
  all.erase(all.begin(), all.begin() + ptrdiff_t(dictionary.size()));
  return all;
}

} // namespace fovea
