namespace ActorProfiler.Configuration.Syntax;

/// <summary>Finds what somebody probably meant to write.</summary>
public static class Spelling
{
    private const int LengthLimit = 64;

    /// <summary><c>; did you mean "x"?</c>, or "" when nothing is near: at most a third of the letters differ.</summary>
    public static string DidYouMean(string written, IEnumerable<string> known)
    {
        var nearest = known
            .Select(candidate => (candidate, distance: Distance(written, candidate)))
            .Where(pair => pair.distance <= Math.Max(1, Math.Max(written.Length, pair.candidate.Length) / 3))
            .OrderBy(pair => pair.distance).ThenBy(pair => pair.candidate, StringComparer.Ordinal)
            .Select(pair => pair.candidate)
            .FirstOrDefault();
        return nearest is null ? "" : $"; did you mean \"{nearest}\"?";
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that make one text of the other.</summary>
    private static int Distance(string left, string right)
    {
        if (left.Length > LengthLimit || right.Length > LengthLimit)
        {
            return int.MaxValue;
        }

        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                rows[i, j] = i == 0 || j == 0 ? i + j : Step(rows, left, right, i, j);
            }
        }

        return rows[left.Length, right.Length];
    }

    private static int Step(int[,] rows, string left, string right, int i, int j)
    {
        var same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]) ? 0 : 1;
        var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + same);
        var swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
        return swapped ? Math.Min(best, rows[i - 2, j - 2] + 1) : best;
    }
}
