using System.Text;
using System.Text.Json;
using TrackMate.Show;

namespace TrackMate.Tests.Model;

/// <summary>All that a company can see: every profile with its whole timeline, and every session.</summary>
/// <param name="Profiles">By id.</param>
/// <param name="Timelines">By profile; newest first.</param>
/// <param name="Sessions">By the id that was asked for; oldest event first.</param>
internal sealed record View(IReadOnlyList<ProfileDocument> Profiles, IReadOnlyList<(string Profile, IReadOnlyList<TimelineEvent> Events)> Timelines, IReadOnlyList<(string Asked, SessionDocument Session)> Sessions)
{
    /// <summary>A line for each thing shown, so that a difference can be read.</summary>
    public string ToText()
    {
        var text = new StringBuilder();
        foreach (var profile in Profiles) text.Append("profile ").AppendLine(JsonSerializer.Serialize(profile, Shown.Json.ProfileDocument));
        foreach (var (profile, events) in Timelines)
        {
            foreach (var shown in events) text.Append("on ").Append(profile).Append(' ').AppendLine(JsonSerializer.Serialize(shown, Shown.Json.TimelineEvent));
        }

        foreach (var (asked, session) in Sessions) text.Append("session ").Append(asked).Append(' ').AppendLine(JsonSerializer.Serialize(session, Shown.Json.SessionDocument));
        return text.ToString();
    }

    /// <summary>Fails with the first line that differs.</summary>
    public static void AssertEqual(string expected, string actual, string what)
    {
        if (expected == actual) return;
        var (left, right) = (expected.Split('\n'), actual.Split('\n'));
        var at = 0;
        while (at < left.Length && at < right.Length && left[at] == right[at]) at++;
        throw new InvalidOperationException($"{what}\n  expected: {Line(left, at)}\n  is:       {Line(right, at)}");
    }

    private static string Line(string[] lines, int at) => at < lines.Length ? lines[at] : "(nothing)";
}
