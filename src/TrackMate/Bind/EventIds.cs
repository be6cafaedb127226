namespace TrackMate.Bind;

/// <summary>eventIds compare by their UTF-8 bytes, as every store's binary collation does; UTF-16 would put surrogates elsewhere.</summary>
public static class EventIds
{
    /// <returns>Less than, equal to or greater than zero, as left comes before, with or after right.</returns>
    public static int Compare(string left, string right)
    {
        var length = Math.Min(left.Length, right.Length);
        for (var i = 0; i < length; i++)
        {
            if (left[i] != right[i]) return Rank(left[i]) - Rank(right[i]);
        }

        return left.Length - right.Length;
    }

    // A surrogate stands for a code point above every character of the basic plane.
    private static int Rank(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
