// What the tests on the test layer share: the layer itself, and small models run from opening to destruction.
#pragma once

#include "layer/interface.h"

#include "base/log.h"
#include "vk/device.h"

#include <doctest/doctest.h>
#include <functional>

namespace fovea::test {

/// The module that the loader puts between Fovea and the driver; the same one.
const layer::Interface &test_layer();
/// Reports that tests make on purpose: all others fail the run.
uint64_t &provoked_reports();

/// The layer, with nothing armed before and after.
class Armed {
public:
  Armed() { test_layer().reset(); }
  ~Armed() { test_layer().reset(); }
  Armed(const Armed &) = delete;
  Armed &operator=(const Armed &) = delete;
  const layer::Interface *operator->() const { return &test_layer(); }
};

/// Reports made while `body` ran, which were provoked.
inline uint64_t provoke(const std::function<void()> &body) {
  const uint64_t before = test_layer().n_reports();
  body();
  const uint64_t n = test_layer().n_reports() - before;
  provoked_reports() += n;
  return n;
}

/// Says nothing below an error while tests make things fail.
class Quiet {
public:
  Quiet() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~Quiet() { set_log_sink({}); }
  Quiet(const Quiet &) = delete;
  Quiet &operator=(const Quiet &) = delete;
};

/// Something that opens a device, loads a model, runs it and destroys it all, and what comes of it: tokens,
/// or scores.
struct Scenario {
  std::string name;
  std::function<std::vector<int32_t>()> run;
};
/// Small models of several kinds, on several ways to the device's memory. Those of ../shared are left out
/// where it is not there.
std::vector<Scenario> scenarios();
Scenario speech_scenario();
/// The quickest; with a pipeline cache in a folder, or none.
Scenario letters_scenario(const std::string &cache_folder = "");

/// A device that keeps nothing on disk but in `cache_folder`.
std::shared_ptr<vk::Device> open_device(const std::string &cache_folder = "");

} // namespace fovea::test
