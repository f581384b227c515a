// Sounds, pictures and tokenizers.
#include "fuzz/seeds.h"
#include "support/image_files.h"

#include <cmath>
#include <cstdio>
#include <sndfile.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace fovea::test;

namespace fovea::fuzz {
namespace {

/// A tenth of a second, written by libsndfile; empty where it cannot write the format.
std::string sound(int format, int channels, int rate) {
  const int file = ::memfd_create("sound", 0);
  SF_INFO info{0, rate, channels, format, 0, 0};
  SNDFILE *out = file < 0 ? nullptr : sf_open_fd(file, SFM_WRITE, &info, SF_FALSE);
  std::string bytes;
  if (out) {
    std::vector<float> samples(size_t(rate / 10 * channels));
    for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.4f * std::sin(float(i) * 0.05f);
    sf_write_float(out, samples.data(), sf_count_t(samples.size()));
    sf_close(out);
    bytes.resize(size_t(::lseek(file, 0, SEEK_END)));
    if (::pread(file, bytes.data(), bytes.size(), 0) != ssize_t(bytes.size())) bytes.clear();
  }
  if (file >= 0) ::close(file);
  return bytes;
}

std::string varint_field(uint32_t number, uint64_t value) {
  std::string out(1, char(number << 3));
  if (number > 15) out = {char(uint8_t((number << 3 & 127) | 128)), char(number >> 4)};
  for (; value > 127; value >>= 7) out += char(uint8_t(value | 128));
  return out + char(value);
}
std::string text_field(uint32_t number, const std::string &text) {
  return std::string(1, char(number << 3 | 2)) + char(uint8_t(text.size())) + text;
}

} // namespace

Seeds audio_seeds() {
  Seeds out;
  const std::pair<const char *, int> formats[] = {
      {"wav_u8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8},      {"wav_16", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
      {"wav_24", SF_FORMAT_WAV | SF_FORMAT_PCM_24},      {"wav_float", SF_FORMAT_WAV | SF_FORMAT_FLOAT},
      {"wav_double", SF_FORMAT_WAV | SF_FORMAT_DOUBLE},  {"wav_ulaw", SF_FORMAT_WAV | SF_FORMAT_ULAW},
      {"wav_ima", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM},  {"wav_ms", SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM},
      {"wav_gsm", SF_FORMAT_WAV | SF_FORMAT_GSM610},     {"wavex", SF_FORMAT_WAVEX | SF_FORMAT_PCM_16},
      {"aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},       {"au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
      {"w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},         {"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16},
      {"caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16},         {"caf_alac", SF_FORMAT_CAF | SF_FORMAT_ALAC_16},
      {"voc", SF_FORMAT_VOC | SF_FORMAT_PCM_16},         {"flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
      {"vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS},      {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
      {"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}};
  for (const auto &[name, format] : formats)
    for (const int channels : {1, 2})
      if (std::string bytes = sound(format, channels, channels == 1 ? 16000 : 8000); !bytes.empty())
        out[std::string(name) + std::to_string(channels)] = std::move(bytes);
  return out;
}

Seeds image_seeds() {
  Seeds out;
  for (const ImageFile &file : kImageFiles) {
    const auto bytes = from_base64(file.file);
    out[file.name] = {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
  }
  return out;
}

Seeds tokenizer_seeds() {
  Seeds out;
  const std::string text = "The caf\xc3\xa9 at 12:30, <s>x</s> \xe6\xb3\xa8 'll";
  const auto json = [&](const char *name, const std::string &tokenizer) {
    out[name] = bundle({{"tokenizer.json", tokenizer}, {"text", text}});
  };
  json("bpe", R"x({"added_tokens":[{"id":6,"content":"<s>","special":true,"lstrip":true,"normalized":false}],
"normalizer":{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Lowercase"},{"type":"Replace","pattern":{"Regex":" +"},"content":" "}]},
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"<s>":{"id":"<s>","ids":[6],"tokens":["<s>"]}}},
"decoder":{"type":"ByteLevel"},
"model":{"type":"BPE","unk_token":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":true,
"vocab":{"t":0,"h":1,"e":2,"th":3,"the":4,"\u0120":5,"<s>":6},"merges":["t h","th e"]}})x");
  json(
      "split",
      R"x({"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(?i:'s|'ll)|\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)"},"behavior":"Isolated","invert":false},
{"type":"Digits","individual_digits":true},{"type":"Punctuation","behavior":"MergedWithNext"},{"type":"Metaspace","replacement":"\u2581","prepend_scheme":"first"}]},
"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"\u2581"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
"added_tokens":[],"model":{"type":"BPE","byte_fallback":true,"unk_token":"a","vocab":{"a":0,"b":1,"<0x41>":2,"ab":3},"merges":[["a","b"]]}})x");
  json("unigram", R"x({"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAAAA=="},
"pre_tokenizer":{"type":"Metaspace","replacement":"\u2581","add_prefix_space":true},"decoder":{"type":"Metaspace","replacement":"\u2581"},
"added_tokens":[],"model":{"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0],["\u2581",-1.5],["t",-2],["he",-3.25],["\u2581the",-1]]}})x");
  json(
      "wordpiece",
      R"x({"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
"pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
"post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},"added_tokens":[{"id":1,"content":"[CLS]","special":true},{"id":2,"content":"[SEP]","special":true}],
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"the":3,"ca":4,"##fe":5}}})x");
  json(
      "wordlevel",
      R"x({"pre_tokenizer":{"type":"Whitespace"},"decoder":{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|"},
"added_tokens":[],"model":{"type":"WordLevel","vocab":{"The":0,"at":1,"<unk>":2},"unk_token":"<unk>"}})x");
  out["vocab_json"] = bundle(
      {{"vocab.json", R"x({"a":0,"b":1,"ab":2,"<|endoftext|>":3})x"},
       {"merges.txt", "#version: 0.2\na b\n"},
       {"added_tokens.json", R"x({"<x>":4})x"},
       {"special_tokens_map.json", R"x({"eos_token":"<|endoftext|>","bos_token":{"content":"a"}})x"},
       {"tokenizer_config.json",
        R"x({"add_prefix_space":true,"model_max_length":8,"bos_token":"a","added_tokens_decoder":{"4":{"content":"<x>","special":true}}})x"},
       {"text", text}});
  out["vocab_txt"] =
      bundle({{"vocab.txt", "[UNK]\n[CLS]\n[SEP]\nCa\nca\n##t\ne\n"},
              {"tokenizer_config.json", R"x({"do_lower_case":false,"tokenizer_class":"BertTokenizer"})x"},
              {"config.json", R"x({"model_type":"bert"})x"},
              {"text", text}});
  std::string pieces;
  for (const char *piece : {"<unk>", "<s>", "</s>", "\u2581t", "he", "a", "<0x41>"})
    pieces += text_field(1, text_field(1, piece) + std::string("\x15\0\0\x80\xbf", 5) +
                                varint_field(3, piece[0] == '<' ? (piece[1] == 'u'   ? 2
                                                                   : piece[1] == '0' ? 6
                                                                                     : 3)
                                                                : 1));
  for (const uint64_t model : {1, 2})
    out["sentencepiece" + std::to_string(model)] =
        bundle({{"tokenizer.model",
                 pieces +
                     text_field(2, varint_field(3, model) + varint_field(35, 1) + varint_field(40, 0) +
                                       varint_field(41, 1) + varint_field(42, 2)) +
                     text_field(3, text_field(1, "nmt_nfkc") + varint_field(3, 1))},
                {"text", text}});
  out["marian"] = bundle({{"source.spm", pieces},
                          {"vocab.json", R"x({"</s>":0,"<unk>":1,"\u2581t":2,"he":3,"<pad>":4})x"},
                          {"text", text}});
  return out;
}

} // namespace fovea::fuzz
