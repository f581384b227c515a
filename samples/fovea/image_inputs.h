// Image files of a command line: which arguments are meant as such, and their pictures decoded in groups that
// are worth running together and stay small in memory. One thread. Throws fovea::Error.
#pragma once

#include "console.h"

#include <fovea/image.hpp>

namespace tool {

struct ImageRuns {
  size_t most = 32;  // pictures of a group
  bool go_on = true; // a bad picture is reported and the rest are done, unless it is the last
};

/// Whether an argument is meant as an image file: its name ends like one's, or there is such a file and it
/// holds an image.
bool names_image(const std::string &input);
/// Error UNSUPPORTED when one of the texts of a model of texts is an image file that exists.
void refuse_images(const std::vector<std::string> &texts);

/// Pictures of `paths` from `at` on, at most `most`: the first, and those after it that fit into a group.
/// Errors are the first's; a later one's are left for its turn.
std::vector<fovea::Image> read_group(const std::vector<std::string> &paths, size_t at, size_t most);
/// Whether an error is one picture's own, so that others may be tried.
bool is_about_the_image(fovea_status status);

/// `run` takes the pixels of a group (std::vector<fovea_pixels>) and gives a fovea::Result; `done` takes the
/// path, the result and the picture's number in it, in the order of `paths`. Returns the exit code.
template <class Run, class Done>
int run_images(const std::vector<std::string> &paths, const ImageRuns &options, Run run, Done done) {
  int exit_code = kOk;
  size_t alone_until = 0; // one of these has failed in a group: whose was it?
  for (size_t at = 0; at < paths.size();) {
    decltype(run(std::vector<fovea_pixels>())) result(FOVEA_OK);
    size_t n = 1;
    try {
      const std::vector<fovea::Image> images = read_group(paths, at, at < alone_until ? 1 : options.most);
      n = images.size();
      std::vector<fovea_pixels> pixels;
      for (const fovea::Image &image : images) pixels.push_back(image.pixels());
      result = run(pixels);
      if (!result && n > 1 && is_about_the_image(result.status())) {
        alone_until = at + n;
        continue;
      }
      if (!result && result.message().find(paths[at]) == std::string::npos)
        fail(result.status(), {paths[at], ": ", result.message()});
      static_cast<void>(result.value());
    } catch (const fovea::Error &e) {
      if (!options.go_on || !is_about_the_image(e.status()) || at + 1 == paths.size()) throw;
      print_error(e.what());
      exit_code = kError;
      ++at;
      continue;
    }
    for (size_t i = 0; i < n; ++i) done(paths[at + i], *result, i);
    at += n;
  }
  return exit_code;
}

} // namespace tool
