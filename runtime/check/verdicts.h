// Verdicts: which kernel variants are known to be right, or wrong, on a device, kept beside the pipeline
// cache. A file is for one device and driver (vendor, device, driver version, pipelineCacheUUID); each row
// for the kernel's SPIR-V as it was, so that a new version of Fovea asks again only about what changed.
// docs/reliability.md has the format.
//
// Verdicts: any number of threads. Files: two writers, the last one's stays whole. Damaged files are ignored
// with a warning.
#pragma once

#include "vk/kernel.h"

#include <map>
#include <mutex>
#include <optional>

namespace fovea::check {

struct Verdict {
  bool right = false;
  std::string fault; // when it is not
  friend bool operator==(const Verdict &, const Verdict &) = default;
};

using VerdictTable = std::map<vk::KernelVariant, Verdict>;

/// docs/reliability.md has the format. parse_verdicts(): rows about kernels that are no longer what they were
/// are left out; Error InvalidArgument, with the line, for anything that print_verdicts() does not write,
/// NotFound for a table of another device.
std::string print_verdicts(const VerdictTable &table, uint64_t key, const std::string &device);
VerdictTable parse_verdicts(std::string_view text, uint64_t key);

class Verdicts {
public:
  /// `folder` empty: nothing is kept on disk.
  Verdicts(const std::string &folder, const DeviceCaps &caps);
  std::optional<Verdict> find(const vk::KernelVariant &variant) const;
  void set(const vk::KernelVariant &variant, Verdict verdict);
  VerdictTable all() const;
  /// Adds what is new to the file. Never throws; what fails is logged.
  void save() noexcept;
  /// Forgets all, on disk too. Error Io.
  void clear();
  /// Empty: nowhere.
  const std::string &path() const { return path_; }

  /// Notes on disk what is about to be tried in this process: if it is the last thing the process does, the
  /// next one finds it to have crashed. Nothing without a folder.
  class Attempt {
  public:
    Attempt(const Verdicts &verdicts, const vk::KernelVariant &variant);
    ~Attempt();
    Attempt(const Attempt &) = delete;
    Attempt &operator=(const Attempt &) = delete;

  private:
    std::string path_;
    int fd_ = -1;
  };

private:
  void note_crash();
  const std::string path_;
  const uint64_t key_;
  const std::string device_;
  mutable std::mutex mutex_;
  VerdictTable table_;
};

} // namespace fovea::check
