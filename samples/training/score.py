"""How far a transcript is from what was said. Pure."""


def n_word_errors(reference, heard):
    """(substitutions + insertions + deletions of the best alignment, words of the reference)"""
    a, b = reference.split(), heard.split()
    row = list(range(len(b) + 1))
    for i, word in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1], len(a)
