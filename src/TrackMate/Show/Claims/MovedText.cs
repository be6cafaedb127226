namespace TrackMate.Show;

/// <summary>What an act moves, in words: <c>412 events, 3 sessions and $79.99</c>.</summary>
internal static class MovedText
{
    /// <returns>Empty if nothing moves.</returns>
    public static string Of(long events, long sessions, IEnumerable<(string Currency, decimal Amount)> revenue)
    {
        List<string> parts = [];
        if (events > 0) parts.Add(Count(events, "event"));
        if (sessions > 0) parts.Add(Count(sessions, "session"));
        parts.AddRange(revenue.Select(total => MoneyText.Of(total.Amount, total.Currency)));
        return parts.Count > 1 ? $"{string.Join(", ", parts.SkipLast(1))} and {parts[^1]}" : parts.FirstOrDefault() ?? "";
    }

    public static string Count(long number, string word) => $"{number:#,0} {word}{(number == 1 ? "" : "s")}";
}
