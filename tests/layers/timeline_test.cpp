// The layer's rules of synchronization, without a device.
#include "layer/timeline.h"

#include <doctest/doctest.h>

using namespace fovea::layer;

namespace {

constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                               kHost = VK_PIPELINE_STAGE_HOST_BIT, kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT;
constexpr VkAccessFlags kShaderRead = VK_ACCESS_SHADER_READ_BIT, kShaderWrite = VK_ACCESS_SHADER_WRITE_BIT;
const VkDeviceMemory kMemory = VkDeviceMemory(uintptr_t(16)); // any

struct Queue {
  Timeline timeline;
  uint64_t submit = 1;
  uint32_t index = 0;

  std::string run(std::vector<Access> accesses) {
    std::string all;
    for (const std::string &text : timeline.run({submit, index++, "dispatch"}, accesses)) all += text + "\n";
    return all.substr(0, all.find(':'));
  }
  static Access access(uint64_t begin, uint64_t end, VkAccessFlags what) {
    return {kMemory, begin, end, kCompute, what, "binding", 0};
  }
  std::string read(uint64_t begin = 0, uint64_t end = 64) { return run({access(begin, end, kShaderRead)}); }
  std::string write(uint64_t begin = 0, uint64_t end = 64) { return run({access(begin, end, kShaderWrite)}); }
  std::string copy_to(uint64_t begin, uint64_t end) {
    return run({{kMemory, begin, end, kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, "region", 0}});
  }
  void barrier() { timeline.barrier(kCompute, kShaderWrite, kCompute, kShaderRead | kShaderWrite); }
};

} // namespace

TEST_CASE("timeline: hazards between kernels, and the barrier that ends them") {
  for (const bool with_barrier : {false, true}) {
    const auto between = [&](Queue &q) {
      if (with_barrier) q.barrier();
    };
    Queue raw, war, waw, rar;
    CHECK(raw.write() == "");
    between(raw);
    CHECK(raw.read() == (with_barrier ? "" : "read-after-write"));
    CHECK(war.read() == "");
    between(war);
    CHECK(war.write() == (with_barrier ? "" : "write-after-read"));
    CHECK(waw.write() == "");
    between(waw);
    CHECK(waw.write() == (with_barrier ? "" : "write-after-write"));
    CHECK(rar.read() == "");
    CHECK(rar.read() == "");
  }
}

TEST_CASE("timeline: only bytes that are shared count") {
  Queue q;
  CHECK(q.write(0, 64) == "");
  CHECK(q.read(64, 128) == "");
  CHECK(q.write(64, 65) == "write-after-read");
  CHECK(q.read(63, 64) == "read-after-write");
  q.barrier();
  CHECK(q.write(32, 96) == "");
  CHECK(q.read(0, 32) == "");
  CHECK(q.read(96, 128) == "");
  CHECK(q.read(95, 128) == "read-after-write");
  CHECK(q.run({{VkDeviceMemory(uintptr_t(32)), 0, 128, kCompute, kShaderRead, "binding", 0}}) ==
        ""); // elsewhere
}

TEST_CASE("timeline: a dispatch that reads and writes the same bytes is no hazard with itself") {
  Queue q;
  CHECK(q.run({Queue::access(0, 64, kShaderRead), Queue::access(0, 64, kShaderWrite)}) == "");
  CHECK(q.run({Queue::access(0, 64, kShaderRead), Queue::access(0, 64, kShaderWrite)}) != "");
}

TEST_CASE("timeline: a barrier must name the stages, and the accesses of what it passes on") {
  Queue stages;
  stages.write();
  stages.timeline.barrier(kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kCompute, kShaderRead);
  CHECK(stages.read() == "read-after-write");
  Queue source; // ordered, and not made available
  source.write();
  source.timeline.barrier(kCompute, 0, kCompute, kShaderRead);
  CHECK(source.read() == "read-after-write");
  Queue destination; // available, and not made visible
  destination.write();
  destination.timeline.barrier(kCompute, kShaderWrite, kCompute, VK_ACCESS_UNIFORM_READ_BIT);
  CHECK(destination.read() == "read-after-write");
  Queue reads; // for what follows a read, order is enough
  reads.read();
  reads.timeline.barrier(kCompute, 0, kCompute, 0);
  CHECK(reads.write() == "");
}

TEST_CASE("timeline: barriers pass on what came to them") {
  Queue chained;
  chained.write();
  chained.timeline.barrier(kCompute, kShaderWrite, kTransfer, VK_ACCESS_TRANSFER_READ_BIT);
  CHECK(chained.read() == "read-after-write");
  chained.timeline.barrier(kTransfer, 0, kCompute, kShaderRead);
  CHECK(chained.read() == "");
  Queue broken;
  broken.write();
  broken.timeline.barrier(kCompute, kShaderWrite, kTransfer, VK_ACCESS_TRANSFER_READ_BIT);
  broken.timeline.barrier(kHost, 0, kCompute, kShaderRead);
  CHECK(broken.read() == "read-after-write");
  Queue across; // submits of one queue are one sequence
  across.write();
  across.submit = 2;
  CHECK(across.read() == "read-after-write");
}

TEST_CASE(
    "timeline: a fence that was waited for orders all before it, and a grid is read by a stage of its own") {
  Queue q;
  q.write();
  q.submit = 2;
  q.write(64, 128);
  q.timeline.waited(1);
  q.submit = 3;
  CHECK(q.read() == "");
  CHECK(q.read(64, 128) == "read-after-write");
  const Access grid{kMemory, 0, 12, VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT, VK_ACCESS_INDIRECT_COMMAND_READ_BIT,
                    "grid",  0};
  q.write();
  q.timeline.barrier(kCompute, kShaderWrite, kCompute, kShaderRead);
  CHECK(q.run({grid}) == "read-after-write");
  q.timeline.barrier(kCompute, kShaderWrite, VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT,
                     VK_ACCESS_INDIRECT_COMMAND_READ_BIT);
  CHECK(q.run({grid}) == "");
}

TEST_CASE("timeline: the host reads what it waited for and what was made visible to it") {
  Queue q;
  q.copy_to(0, 64);
  CHECK(q.timeline.host_reads(kMemory, 0, 64).size() == 1);
  q.timeline.waited(1);
  CHECK(q.timeline.host_reads(kMemory, 0, 64).size() == 1);
  CHECK(q.timeline.host_reads(kMemory, 64, 128).empty());
  q.copy_to(0, 64);
  q.timeline.barrier(kTransfer, VK_ACCESS_TRANSFER_WRITE_BIT, kHost, VK_ACCESS_HOST_READ_BIT);
  CHECK(q.timeline.host_reads(kMemory, 0, 64).size() == 1); // still running
  CHECK(q.timeline.host_reads(kMemory, 0, 64, true).empty());
  q.timeline.waited(1);
  CHECK(q.timeline.host_reads(kMemory, 0, 64).empty());
  q.read();
  CHECK(q.timeline.host_writes(kMemory, 0, 64).size() == 1);
  q.timeline.waited(1);
  CHECK(q.timeline.host_writes(kMemory, 0, 64).empty());
}
