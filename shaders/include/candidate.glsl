// Picking the largest element of many, the lower index among equals. Include after kernel.glsl and reduce.glsl.
struct Candidate {
  float value;
  float index; // exact: below 2^24
};

// Worse than any element, kLowest included. As an index, later than any.
const Candidate kNobody = Candidate(-3.4028234e38, 3.0e38);

bool before(Candidate a, Candidate b) { return a.value > b.value || (a.value == b.value && a.index < b.index); }

// The first of every invocation's candidate, for all of them.
Candidate workgroup_first(Candidate own) {
  const float value = workgroup_max(own.value);
  return Candidate(value, -workgroup_max(own.value == value ? -own.index : -kNobody.index));
}
