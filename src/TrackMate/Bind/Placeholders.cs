using System.Collections.Frozen;

namespace TrackMate.Bind;

/// <summary>Values that senders put where they know nobody (B11): they count as not given, so that strangers never meet on <c>undefined</c>.</summary>
public static class Placeholders
{
    private static readonly FrozenSet<string> Everywhere =
        new[] { "null", "undefined", "none", "nan", "anonymous", "guest", "unknown", "true", "false", "0", "-1", "[object object]" }
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsPlaceholder(string value, CompanySettings settings)
    {
        var trimmed = value.AsSpan().Trim();
        return trimmed.IsEmpty
            || Everywhere.GetAlternateLookup<ReadOnlySpan<char>>().Contains(trimmed)
            || trimmed.IndexOfAnyExcept('0', '-') < 0
            || IsOneOf(settings.Placeholders, trimmed);
    }

    private static bool IsOneOf(IReadOnlyList<string> more, ReadOnlySpan<char> trimmed)
    {
        foreach (var placeholder in more)
        {
            if (trimmed.Equals(placeholder, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}
