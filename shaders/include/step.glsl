// Values that change from submit to submit without re-recording (see docs/architecture.md). A push constant names the
// slot; kNoStep means the value is the constant 0.
const uint kNoStep = 0xFFFFFFFFu;
layout(set = 0, binding = 4, std140) uniform StepParams { uvec4 steps[8]; };
uint step_value(uint slot) { return slot == kNoStep ? 0u : steps[(slot >> 2) & 7u][slot & 3u]; }
