using System.Globalization;
using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>Formats times for the reader. The page's script sends the reader's time zone in a cookie; without it the zone is UTC.</summary>
public sealed class Clock(TimeZoneInfo zone, DateTimeOffset now)
{
    private const string Cookie = "trackmate-zone";
    private const int MaxZoneLength = 64;

    public string Zone => zone.Id;

    internal static Clock Of(HttpContext http, TimeProvider time)
    {
        var given = http.Request.Cookies[Cookie];
        var zone = given is { Length: > 0 and <= MaxZoneLength } && TimeZoneInfo.TryFindSystemTimeZoneById(given, out var found) ? found : TimeZoneInfo.Utc;
        return new(zone, time.GetUtcNow());
    }

    public static long Read(string timestamp) => DateTimeOffset.Parse(timestamp, CultureInfo.InvariantCulture).ToUnixTimeMilliseconds();

    /// <summary>Parses a time from a form, in the reader's zone unless it names another.</summary>
    /// <returns>Unix milliseconds; null if the text is not a time.</returns>
    public long? ReadLocal(string text)
    {
        if (!WrittenTime.TryParse(text, out var written)) return null;
        if (written.OffsetMinutes is not null) return written.UnixMilliseconds;
        var time = DateTimeOffset.FromUnixTimeMilliseconds(written.LocalMilliseconds).DateTime;
        // A local time that does not exist because clocks go forward is read as one hour later.
        if (zone.IsInvalidTime(time)) time = time.AddHours(1);
        return new DateTimeOffset(time, TimeSpan.Zero).ToUnixTimeMilliseconds() - (long)zone.GetUtcOffset(time).TotalMilliseconds;
    }

    /// <summary>The beginning of a day in the reader's zone.</summary>
    public long StartOf(DateOnly day)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        if (zone.IsInvalidTime(midnight)) midnight = midnight.AddHours(1);
        return new DateTimeOffset(midnight, zone.GetUtcOffset(midnight)).ToUnixTimeMilliseconds();
    }

    /// <summary>The value of a form field, in the reader's zone.</summary>
    public string Field(long at) => Local(at).ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture);

    public string Time(long at) => Local(at).ToString("HH:mm", CultureInfo.InvariantCulture);

    public string Seconds(long at) => Local(at).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    public string Date(long at) => Local(at).ToString("d MMM yyyy", CultureInfo.InvariantCulture);

    public string Day(long at) => Local(at).ToString("dddd, d MMMM yyyy", CultureInfo.InvariantCulture);

    public string Full(long at) => Local(at).ToString("d MMM yyyy, HH:mm:ss", CultureInfo.InvariantCulture);

    public DateOnly DateOf(long at) => DateOnly.FromDateTime(Local(at).DateTime);

    public bool IsToday(long at) => DateOf(at) == DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(now, zone).DateTime);

    /// <summary>Today's times without the date, others with it.</summary>
    public string Short(long at) => IsToday(at) ? "Today, " + Time(at) : Date(at) + ", " + Time(at);

    private DateTimeOffset Local(long at) => TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeMilliseconds(at), zone);
}
