#include "tasks/text_batches.h"

#include "base/error.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace fovea {

LimitedText limit_text(const Tokenizer &tokenizer, std::string_view text, uint32_t max_tokens) {
  LimitedText out{tokenizer.encode(text, {.add_special = true}), false};
  if (out.ids.size() <= max_tokens) return out;
  // The template's tokens are what comes before and after the text's own.
  const std::vector<int32_t> own = tokenizer.encode(text, {.add_special = false});
  const size_t n_special = out.ids.size() - std::min(own.size(), out.ids.size());
  if (n_special >= max_tokens)
    fail(ErrorCode::InvalidArgument, "at most ", max_tokens, " tokens leave no room for a text beside the ",
         n_special, " of the model's template");
  size_t n_before = 0;
  while (n_before < n_special && !std::equal(own.begin(), own.end(), out.ids.begin() + ptrdiff_t(n_before)))
    ++n_before;
  const size_t kept = max_tokens - n_special;
  const auto begin = out.ids.begin() + ptrdiff_t(n_before);
  out.ids.erase(begin + ptrdiff_t(kept), begin + ptrdiff_t(own.size()));
  out.truncated = true;
  return out;
}

uint32_t padded_length(uint32_t n, uint32_t most) {
  // Steps of an eighth to a quarter of the length: 8, 16, 24 … 64, 80 … 128, 160 …
  const uint32_t step = std::max(8u, std::bit_floor(std::max(n, 1u) - (n > 1)) / 4);
  return std::min((n + step - 1) / step * step, most);
}

std::vector<TextBatch> batch_texts(std::span<const uint32_t> lengths, uint32_t max_rows,
                                   uint32_t max_tokens) {
  std::vector<uint32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return lengths[a] > lengths[b]; });
  std::vector<TextBatch> out;
  for (size_t i = 0; i < order.size();) {
    TextBatch batch;
    batch.n_tokens = padded_length(lengths[order[i]], max_tokens);
    const size_t end = std::min<size_t>(order.size(), i + max_rows);
    for (; i < end && padded_length(lengths[order[i]], max_tokens) == batch.n_tokens; ++i)
      batch.rows.push_back(order[i]);
    batch.n_rows = std::min(uint32_t(std::bit_ceil(batch.rows.size())), max_rows);
    out.push_back(std::move(batch));
  }
  return out;
}

PaddedRows pad_rows(const TextBatch &batch, std::span<const std::vector<int32_t>> texts, int32_t pad) {
  const size_t n = size_t(batch.n_rows) * batch.n_tokens;
  PaddedRows out{std::vector<int32_t>(n, pad), std::vector<int32_t>(n, 0)};
  for (size_t r = 0; r < batch.n_rows; ++r) {
    // A row without a text repeats the first: all hidden would be no distribution at all.
    const std::vector<int32_t> &ids = texts[batch.rows[r < batch.rows.size() ? r : 0]];
    const auto at = ptrdiff_t(r * batch.n_tokens);
    std::copy(ids.begin(), ids.end(), out.tokens.begin() + at);
    std::fill_n(out.mask.begin() + at, ids.size(), 1);
  }
  return out;
}

} // namespace fovea
