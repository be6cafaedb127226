using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Manage;
using TrackMate.Store;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>The read calls, for keys with the scope <c>read</c>. Each answers out of one snapshot of the store.</summary>
internal sealed class ReadApi(MessageStore store, Registry registry)
{
    public Task Profiles(HttpContext http)
    {
        var company = CompanyOf(http);
        var (limit, cursor) = (Queries.LimitOf(http), Queries.CursorOf(http));
        var page = Read(company, documents => (Queries.Given(http, "email"), Queries.Given(http, "externalId")) switch
        {
            // One that is given and blank names nobody; it is not the same as none.
            ({ } email, _) => Single(EmailAddress.TryNormalize(email, out var normalized) ? documents.Find(Identifier.Email(company, normalized).Id) : null, "email", email),
            (_, { } externalId) => Single(documents.Find(Identifier.External(company, externalId).Id), "externalId", externalId),
            _ => documents.Find(Queries.Given(http, "q"), cursor, limit),
        });
        return JsonAnswer.WriteAsync(http, page, Shown.Json.ProfilesPage);
    }

    public Task Profile(HttpContext http)
    {
        var profile = Read(CompanyOf(http), documents => documents.Profile(documents.PersonOf(Queries.ProfileOf(http))));
        return JsonAnswer.WriteAsync(http, profile, Shown.Json.ProfileDocument);
    }

    public Task Timeline(HttpContext http)
    {
        var company = CompanyOf(http);
        var limit = Queries.LimitOf(http);
        var filter = new TimelineFilter(
            SourceOf(Queries.Given(http, "source")),
            Queries.TextOf(http, "eventType"),
            Queries.TimeOf(http, "from") ?? long.MinValue,
            Queries.TimeOf(http, "to") ?? long.MaxValue,
            Words: EventWords.Of(Queries.Given(http, "q")));
        var sessionId = Queries.TextOf(http, "sessionId");
        var after = Cursors.ReadEvent(company, Queries.CursorOf(http));
        var page = Read(company, documents =>
        {
            var person = documents.PersonOf(Queries.ProfileOf(http));
            var narrowed = sessionId is null ? filter : documents.Within(person, filter, sessionId);
            return narrowed is null ? new([], null) : documents.Timeline(person, narrowed, after, limit);
        });
        return JsonAnswer.WriteAsync(http, page, Shown.Json.TimelinePage);
    }

    public Task Session(HttpContext http)
    {
        var company = CompanyOf(http);
        var limit = Queries.LimitOf(http);
        var after = Cursors.ReadEvent(company, Queries.CursorOf(http));
        var sessionId = Queries.Segment(http);
        var document = Read(company, documents => documents.Session(sessionId, after, limit)) ?? throw new RejectionException(Reason.NotFound, "The company has no session with this id.");
        return JsonAnswer.WriteAsync(http, document, Shown.Json.SessionDocument);
    }

    public Task Event(HttpContext http)
    {
        var eventId = Queries.Segment(http);
        var receipts = Read(CompanyOf(http), documents => documents.Receipts(eventId));
        if (receipts.Receipts.Count == 0) throw new RejectionException(Reason.NotFound, "The company has no event with this id. Rejected events are kept for a limited time.");
        return JsonAnswer.WriteAsync(http, receipts, Shown.Json.EventReceipts);
    }

    /// <summary>Reads out of one snapshot, and lets go of it before the answer is sent.</summary>
    private T Read<T>(Company company, Func<Documents, T> read)
    {
        using var snapshot = store.Read(company);
        return read(new(snapshot.Database, company));
    }

    private static ProfilesPage Single(ProfileDocument? found, string name, string given) => found is not null ? new([found], null) : new([], null)
    {
        Hint = given.Contains(' ', StringComparison.Ordinal) && !string.IsNullOrWhiteSpace(given) ? $"{name} was read with a blank in it. In an address a + means a blank; to search for a +, write it as %2B." : null,
    };

    private Company CompanyOf(HttpContext http) => Keys.Authorize(http, registry).Company;

    private static Origin? SourceOf(string? text) => text switch
    {
        null or "" => null,
        "client" => Origin.Browser,
        "server" => Origin.Server,
        _ => throw new RejectionException(Reason.BadParameter, "source must be client or server.", "source"),
    };
}
