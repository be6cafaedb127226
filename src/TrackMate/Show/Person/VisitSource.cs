using System.Text.Json;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Where a visit came from, according to its first event: the campaign in the address, otherwise the referring page.</summary>
/// <param name="From">Such as <c>google, campaign spring_sale</c>; null if the visitor came directly or the source is unknown.</param>
/// <param name="Landing">The first page; null if the event names none.</param>
public sealed record VisitSource(string? From, string? Landing)
{
    internal static VisitSource Of(StoredEvent first)
    {
        var data = JsonElement.Parse(first.Data.Span);
        var context = first.Context.IsEmpty ? default : JsonElement.Parse(first.Context.Span);
        var page = Member(context, "page");
        var landing = Text(page, "address") ?? Text(page, "url") ?? Text(data, "address") ?? Text(data, "url");
        var utm = Member(context, "utm") is { ValueKind: JsonValueKind.Object } named ? named : Member(context, "campaign");
        var source = Text(utm, "source") ?? InAddress(landing, "utm_source");
        var campaign = Text(utm, "campaign") ?? Text(utm, "name") ?? InAddress(landing, "utm_campaign");
        var referrer = HostOf(Text(page, "referrer") ?? Text(data, "referrer"));
        var from = source ?? (referrer is not null && referrer != HostOf(landing) ? referrer : null);
        var words = (from, campaign) switch
        {
            (null, null) => null,
            (null, _) => "campaign " + campaign,
            (_, null) => from,
            _ => $"{from}, campaign {campaign}",
        };
        return new(EventLabel.Shown(words), EventLabel.Shown(landing is null ? null : EventLabel.AddressText(landing.Split('?', '#')[0])));
    }

    private static JsonElement Member(JsonElement parent, string name) => parent.ValueKind is JsonValueKind.Object && parent.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement parent, string name) => Member(parent, name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } value ? value : null;

    private static string? HostOf(string? address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? (uri.Host.StartsWith("www.", StringComparison.OrdinalIgnoreCase) ? uri.Host[4..] : uri.Host) : null;

    private static string? InAddress(string? address, string name)
    {
        if (address?.IndexOf('?') is not (>= 0 and var question)) return null;
        foreach (var part in address[(question + 1)..].Split('#')[0].Split('&'))
        {
            if (part.Split('=', 2) is [var key, { Length: > 0 } value] && key == name) return Uri.UnescapeDataString(value.Replace('+', ' '));
        }

        return null;
    }
}
