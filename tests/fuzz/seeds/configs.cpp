#include "converter/architectures/architecture.h"
#include "fuzz/seeds.h"

namespace fovea::fuzz {

const std::map<std::string, std::string> &tiny_configs() {
  static const std::string decoder = R"("hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,
"num_attention_heads":2,"num_key_value_heads":1,"vocab_size":6,"max_position_embeddings":16})";
  static const std::string encoder = R"("hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,
"num_attention_heads":2,"vocab_size":6,"max_position_embeddings":16,"type_vocab_size":2})";
  static const std::string picture = R"("hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,
"num_attention_heads":2,"image_size":16,"patch_size":8,"id2label":{"0":"a","1":"b"}})";
  static const std::string pair =
      R"("d_model":8,"encoder_layers":1,"decoder_layers":1,"encoder_attention_heads":2,
"decoder_attention_heads":2,"encoder_ffn_dim":16,"decoder_ffn_dim":16,"vocab_size":6,"max_position_embeddings":16,
"pad_token_id":1,"eos_token_id":2,"decoder_start_token_id":2)";
  static const std::string stages = R"("embedding_size":4,"hidden_sizes":[4,4,4,8],"depths":[1,1,1,1],
"layer_type":"basic","hidden_act":"relu","model_type":"resnet")";
  static const std::map<std::string, std::string> configs = {
      {"llama", R"({"model_type":"llama",)" + decoder},
      {"mistral", R"({"model_type":"mistral","sliding_window":7,)" + decoder},
      {"qwen2", R"({"model_type":"qwen2",)" + decoder},
      {"qwen3", R"({"model_type":"qwen3","head_dim":4,)" + decoder},
      {"gemma3", R"({"model_type":"gemma3_text","head_dim":4,"sliding_window":9,)" + decoder},
      {"gpt2", R"({"model_type":"gpt2","n_embd":8,"n_layer":1,"n_head":2,"n_positions":16,"vocab_size":6})"},
      {"bert", R"({"model_type":"bert",)" + encoder},
      {"roberta", R"({"model_type":"roberta","pad_token_id":1,)" + encoder},
      {"albert", R"({"model_type":"albert","embedding_size":4,)" + encoder},
      {"distilbert",
       R"({"model_type":"distilbert","dim":8,"hidden_dim":16,"n_layers":1,"n_heads":2,"vocab_size":6,
"max_position_embeddings":16,"architectures":["DistilBertForSequenceClassification"]})"},
      {"conformer", R"({"model_type":"conformer_ctc","num_hidden_layers":1,"vocab_size":6,"hidden_size":8,
"intermediate_size":16,"num_attention_heads":2})"},
      {"bart", R"({"model_type":"bart",)" + pair + "}"},
      {"marian", R"({"model_type":"marian",)" + pair + "}"},
      {"t5",
       R"({"model_type":"t5","d_model":8,"d_kv":4,"d_ff":16,"num_layers":1,"num_heads":2,"vocab_size":6})"},
      {"whisper",
       R"({"model_type":"whisper","num_mel_bins":4,"max_source_positions":8,"max_target_positions":8,)" +
           pair + "}"},
      {"wav2vec2",
       R"({"model_type":"wav2vec2","architectures":["Wav2Vec2ForCTC"],"conv_dim":[4,4],"conv_kernel":[10,3],
"conv_stride":[5,2],"hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,"num_attention_heads":2,
"num_conv_pos_embedding_groups":2,"num_conv_pos_embeddings":4,"vocab_size":6})"},
      {"lstm", R"({"model_type":"lstm_attention","vocab_size":6,"embedding":4,"hidden":4,"layers":1,
"bidirectional":true,"classes":2})"},
      {"vit", R"({"model_type":"vit",)" + picture},
      {"deit", R"({"model_type":"deit",)" + picture},
      {"dinov2", R"({"model_type":"dinov2","mlp_ratio":2,)" + picture},
      {"yolos", R"({"model_type":"yolos","num_detection_tokens":3,)" + picture},
      {"resnet", "{" + stages + R"(,"id2label":{"0":"a"}})"},
      {"mobilenet",
       R"({"model_type":"mobilenet_v2","depth_multiplier":0.1,"image_size":32,"id2label":{"0":"a"}})"},
      {"detr", R"({"model_type":"detr","num_queries":3,"backbone_config":{)" + stages + "}," + pair + "}"},
      {"segformer",
       R"({"model_type":"segformer","depths":[1,1,1,1],"hidden_sizes":[4,4,8,8],"num_attention_heads":[1,1,2,2],
"patch_sizes":[7,3,3,3],"strides":[4,2,2,2],"sr_ratios":[8,4,2,1],"mlp_ratios":[2,2,2,2],"decoder_hidden_size":8})"},
      {"clip", R"({"model_type":"clip","projection_dim":4,"text_config":{"model_type":"clip_text_model",)" +
                   encoder + R"(,"vision_config":{"model_type":"clip_vision_model",)" + picture + "}"}};
  return configs;
}

std::optional<ModelPlan> tiny_plan(const std::string &config, Encoding encoding) {
  Source source("model", "test");
  source.add_text("config.json", config);
  source.finish();
  try {
    return plan_model(source, encoding);
  } catch (const Error &) {
    return {};
  }
}

} // namespace fovea::fuzz
