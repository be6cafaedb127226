using System.Globalization;
using System.Text;

namespace TrackMate.Show;

/// <summary>A profile and its timeline drawn in two boxes, the browser's events and the servers', from what the read API answered.</summary>
internal static class SeedDrawing
{
    private const int Width = 53;
    private const int TypeWidth = 20;
    private const int TitleWidth = 48;
    private const string Cut = "...";

    /// <param name="profile">A profile's document.</param>
    /// <param name="events">Its timeline's events, oldest first.</param>
    public static string Of(ProfileDocument profile, IReadOnlyList<TimelineEvent> events)
    {
        var drawing = new StringBuilder();
        drawing.AppendLine(Plain($"Profile: {profile.Name ?? "(no name)"} ({profile.Email ?? "no e-mail"})"));
        drawing.AppendLine($"ID: {profile.Id}").AppendLine(Plain($"Company: {profile.CompanyId}")).AppendLine();
        Box(drawing, "CLIENT-SIDE EVENTS (Browser - ", [.. events.Where(shown => shown.Source == "client")]);
        Box(drawing, "SERVER-SIDE EVENTS (Webhooks - ", [.. events.Where(shown => shown.Source == "server")]);

        var totals = profile.Totals;
        var revenue = totals.Revenue.Select(row => MoneyText.Of(decimal.Parse(row.Amount, CultureInfo.InvariantCulture), row.Currency)).ToList();
        drawing.AppendLine($"Total Revenue: {(revenue.Count == 0 ? "none" : string.Join(", ", revenue))}");
        drawing.AppendLine($"Total Events: {totals.Events}");
        drawing.AppendLine($"Sessions: {totals.Sessions.Client + totals.Sessions.Server} ({totals.Sessions.Client} client, {totals.Sessions.Server} server)");
        if (profile.LastActive is { } last) drawing.AppendLine($"Last Active: {Time(last, "h:mm tt")}");
        return drawing.ToString();
    }

    private static void Box(StringBuilder drawing, string title, List<TimelineEvent> events)
    {
        if (events.Count == 0) return;
        var line = new string('─', Width);
        var sessions = events.Select(shown => shown.SessionId).Distinct(StringComparer.Ordinal).ToList();
        var named = sessions.Count == 1 ? Shorten(sessions[0], TitleWidth - title.Length - 1) : $"{sessions.Count} sessions";
        drawing.AppendLine($"┌{line}┐");
        Row(drawing, $"{title}{named})");
        drawing.AppendLine($"├{line}┤");
        foreach (var shown in events)
        {
            var type = Shorten(shown.EventType, TypeWidth - 1).PadRight(TypeWidth);
            Row(drawing, $"{Time(shown.Timestamp, "HH:mm")}  {type}{EventLabel.SeedLine(shown.EventType, shown.EventData)}");
        }

        drawing.AppendLine($"└{line}┘").AppendLine();
    }

    private static void Row(StringBuilder drawing, string text) => drawing.AppendLine($"│ {Shorten(Plain(text), Width - 2).PadRight(Width - 1)}│");

    private static string Shorten(string text, int length) => text.Length <= length ? text : text[..(length - Cut.Length)] + Cut;

    /// <summary>Names and types are outsiders' text: nothing in them may steer the terminal.</summary>
    private static string Plain(string text) => string.Concat(text.Select(c => char.IsControl(c) || char.GetUnicodeCategory(c) is UnicodeCategory.Format ? ' ' : c));

    private static string Time(string timestamp, string format) =>
        DateTimeOffset.Parse(timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal).ToString(format, CultureInfo.InvariantCulture);
}
