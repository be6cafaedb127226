using System.Globalization;
using TrackMate.Bind;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>What a reader chose to see of a timeline. All of it is in the page's address, so that a link shows the same.</summary>
/// <param name="Source"><c>client</c> or <c>server</c>.</param>
/// <param name="From">The first day, as a form sends it: <c>2025-10-18</c>.</param>
/// <param name="To">The last day.</param>
/// <param name="Date">The day to jump to.</param>
/// <param name="Order"><c>oldest</c> for the oldest events first; otherwise the newest are first.</param>
public sealed record TimelineView(string? Source, string? EventType, string? Session, string? Search, string? From, string? To, string? Date, string? Order)
{
    public const int MaxText = 200;

    public static TimelineView Read(IQueryCollection query) => new(
        (string?)query["source"] is "client" or "server" ? (string?)query["source"] : null,
        Text(query["type"]), Text(query["session"]), Text(query["q"]), Day(query["from"]), Day(query["to"]), Day(query["date"]),
        query["order"] == "oldest" ? "oldest" : null);

    public bool NewestFirst => Order is null;

    /// <summary>Whether the filters leave out any events.</summary>
    public bool IsFiltered => (Source ?? EventType ?? Session ?? Search ?? From ?? To) is not null;

    /// <summary>Whether the filters leave out events within a visit, so that the page shows only a part of it.</summary>
    public bool CutsVisits => (EventType ?? Search) is not null || Source == "server";

    internal TimelineFilter Filter(Clock clock) => new(
        Source switch { "client" => Origin.Browser, "server" => Origin.Server, _ => null },
        EventType,
        From is null ? long.MinValue : clock.StartOf(DateOf(From)),
        To is null ? long.MaxValue : clock.StartOf(DateOf(To).AddDays(1)),
        Words: EventWords.Of(Search));

    /// <summary>Where the page for the day to jump to begins; null if no day was chosen.</summary>
    internal EventCursor? Jump(Clock clock) => Date is null ? null
        : NewestFirst ? new(EventOrder.Start(clock.StartOf(DateOf(Date).AddDays(1))), "")
        : new(new(EventOrder.Start(clock.StartOf(DateOf(Date))).Value - 1), "");

    /// <summary>The parameters in an address.</summary>
    public (string Name, string? Value)[] Parameters =>
        [("source", Source), ("type", EventType), ("session", Session), ("q", Search), ("from", From), ("to", To), ("date", Date), ("order", Order)];

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) || text.Length > MaxText ? null : text.Trim();

    private static string? Day(string? text) => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day.Year is >= 1970 and <= 9000 ? text : null;

    private static DateOnly DateOf(string day) => DateOnly.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture);
}
