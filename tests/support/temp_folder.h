// A folder of its own for a test, removed with all it holds.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace fovea::test {

class TempFolder {
public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "fovea_test.XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;

  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }
  size_t n_files() const { return size_t(std::distance(std::filesystem::directory_iterator(path_), {})); }

private:
  std::filesystem::path path_;
};

inline void write_file(const std::string &path, std::string_view text) {
  std::filesystem::remove(path); // truncating in place makes ext4 write to the disk at once
  std::ofstream out(path, std::ios::binary);
  out.write(text.data(), std::streamsize(text.size()));
}

inline std::string read_file(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

} // namespace fovea::test
