using System.Globalization;
using TrackMate.Bind;

namespace TrackMate.Show;

/// <summary>The addresses of the dashboard's pages. Values from outside are escaped here.</summary>
internal static class Links
{
    private static readonly AsyncLocal<string?> PathBase = new();

    /// <summary>The path prefix of the current request's addresses, without a slash at the end; empty if TrackMate is at the root of its host.</summary>
    public static string Base
    {
        get => PathBase.Value ?? "";
        set => PathBase.Value = value.Length == 0 ? null : value;
    }

    public static string Home => Within("/");

    public static string Login => Within("/login");

    public static string LogOut => Within("/logout");

    /// <summary>A path of this program with the prefix, as a browser requests it.</summary>
    public static string Within(string path) => Base + path;

    /// <param name="sort">For all people: <c>oldest</c>, otherwise the newest are first.</param>
    /// <param name="cursor">The page begins after this position.</param>
    /// <param name="until">Instead of a cursor: the page ends before this position, for a previous page.</param>
    public static string People(string companyId, string? search = null, string? cursor = null, string? sort = null, string? until = null) =>
        Address($"/c/{companyId}/people", ("q", search), ("sort", sort), ("cursor", cursor), ("until", until));

    public static string Suggestions(string companyId) => Within($"/c/{companyId}/people/suggestions");

    public static string Person(string companyId, string id, string? eventKey = null, string? tab = null, string? cursor = null) =>
        Address($"/c/{companyId}/people/{id}", ("tab", tab), ("cursor", cursor), ("event", eventKey));

    /// <summary>A page of a person's timeline.</summary>
    /// <param name="cursor">The page begins after this event.</param>
    /// <param name="until">The page ends before this event.</param>
    public static string Timeline(string companyId, string id, TimelineView view, string? cursor = null, string? until = null, string? eventKey = null) =>
        Address($"/c/{companyId}/people/{id}", [.. view.Parameters, ("cursor", cursor), ("until", until), ("event", eventKey)]);

    public static string Merge(string companyId, string id, string? search = null, string? with = null) => Address($"/c/{companyId}/people/{id}/merge", ("q", search), ("with", with));

    public static string Duplicates(string companyId, string? cursor = null) => Address($"/c/{companyId}/people/duplicates", ("cursor", cursor));

    /// <summary>Pairs that browsers' claims suggest.</summary>
    /// <param name="all">Whether to ask for confirmation to merge all of them.</param>
    public static string SuggestedPairs(string companyId, int skip = 0, bool all = false) =>
        Address($"/c/{companyId}/people/suggested", ("skip", skip == 0 ? null : skip.ToString(CultureInfo.InvariantCulture)), ("all", all ? "yes" : null));

    public static string DoAcceptAll(string companyId) => $"/c/{companyId}/act/accept-suggestions";

    public static string Audit(string companyId, string? cursor = null) => Address($"/c/{companyId}/audit", ("cursor", cursor));

    /// <summary>The page that shows what an act would move, before it is done.</summary>
    /// <param name="companyId">The company.</param>
    /// <param name="verb">The act: see <see cref="AskedAct"/>.</param>
    /// <param name="id">A claim, an act, a profile or a session.</param>
    /// <param name="back">The page that follows.</param>
    public static string Act(string companyId, string verb, string id, string back) => Address($"/c/{companyId}/act", ("do", verb), ("id", id), ("back", back));

    public static string DoAct(string companyId) => Within($"/c/{companyId}/act/do");

    /// <summary>The page that undoes many claims of browsers at once, with some fields filled in.</summary>
    public static string UndoClaims(string companyId, string? sessions = null, string? identifier = null) => Address($"/c/{companyId}/claims/undo", ("sessions", sessions), ("identifier", identifier));

    public static string DoUndoClaims(string companyId) => Within($"/c/{companyId}/act/undo-claims");

    public static string UndoAct(string companyId) => Within($"/c/{companyId}/act/undo");

    /// <summary>The address of the requested page, without the notice of an earlier act.</summary>
    public static string Here(HttpContext http) => WithNotice(http.Request.PathBase.ToUriComponent() + http.Request.Path.ToUriComponent() + http.Request.QueryString.ToUriComponent(), null);

    /// <summary>An address within this site with the notice of an act, replacing an earlier notice.</summary>
    /// <param name="address">A path and query.</param>
    /// <param name="line">The number of the act's line in the audit log; 0 if nothing changed.</param>
    public static string WithNotice(string address, long? line)
    {
        var (path, query) = address.Split('#')[0].Split('?', 2) is [var before, var after] ? (before, after) : (address.Split('#')[0], "");
        var kept = query.Split('&', StringSplitOptions.RemoveEmptyEntries).Where(part => !part.StartsWith("notice=", StringComparison.Ordinal));
        if (line is not null) kept = kept.Append($"notice={line}");
        return string.Join('&', kept) is { Length: > 0 } all ? $"{path}?{all}" : path;
    }

    public static string Visitors(string companyId, string? cursor = null) => Address($"/c/{companyId}/visitors", ("cursor", cursor));

    public static string Session(string companyId, string sessionId, string? eventKey = null, string? cursor = null) =>
        Address($"/c/{companyId}/visitors/session", ("id", sessionId), ("cursor", cursor), ("event", eventKey));

    public static string Live(string companyId, string? source = null) => Address($"/c/{companyId}/live", ("source", source));

    /// <param name="view"><c>each</c> to list each rejected message separately.</param>
    /// <param name="like">The number of a rejected message, to list those with the same fault.</param>
    public static string Ingestion(string companyId, string? tab = null, string? source = null, string? eventId = null, string? cursor = null, string? view = null, long? like = null) =>
        Address($"/c/{companyId}/ingestion", ("tab", tab), ("view", view), ("like", like?.ToString(CultureInfo.InvariantCulture)), ("source", source), ("eventId", eventId), ("cursor", cursor));

    /// <summary>One rejected event, by its number in the store.</summary>
    public static string Rejected(string companyId, long number) => Within($"/c/{companyId}/ingestion/{number}");

    public static string Stream(string companyId) => Within($"/c/{companyId}/live/events");

    public static string GetStarted(string companyId) => Within($"/c/{companyId}/get-started");

    /// <summary>An event in an address: its source and its id, since ids are unique within a source.</summary>
    public static string KeyOf(string source, string eventId) => $"{source}:{eventId}";

    public static (Origin Origin, string EventId)? ReadKey(string? key) => key?.Split(':', 2) switch
    {
        ["client", { Length: > 0 } eventId] => (Origin.Browser, eventId),
        ["server", { Length: > 0 } eventId] => (Origin.Server, eventId),
        _ => null,
    };

    private static string Address(string path, params ReadOnlySpan<(string Name, string? Value)> query)
    {
        var address = Within(path);
        var separator = '?';
        foreach (var (name, value) in query)
        {
            if (string.IsNullOrEmpty(value)) continue;
            address += $"{separator}{name}={Uri.EscapeDataString(value)}";
            separator = '&';
        }

        return address;
    }
}
