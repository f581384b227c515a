// WordLevel: a piece is a token, or unknown.
#include "text/token_model.h"

namespace fovea {
namespace {
class WordLevel final : public TokenModel {
public:
  using TokenModel::TokenModel;

  void encode(std::string_view piece, bool allow_special, TokenModelScratch &,
              std::vector<int32_t> &ids) const override {
    const int32_t known = find(piece, allow_special), id = known >= 0 ? known : data_.unknown;
    if (id >= 0) ids.push_back(id);
  }
};
} // namespace

std::unique_ptr<const TokenModel> make_word_level(const TokenizerData &data, const IdOfText &ids) {
  return std::make_unique<WordLevel>(data, ids);
}

} // namespace fovea
