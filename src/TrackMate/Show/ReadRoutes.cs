using TrackMate.Http;
using TrackMate.Manage;

namespace TrackMate.Show;

/// <summary>The routes of <see cref="ReadApi"/>, each with its contract.</summary>
internal static class ReadRoutes
{
    public static void Map(WebApplication app)
    {
        var api = app.Services.GetRequiredService<ReadApi>();
        app.MapGet("/api/profiles", api.Profiles).Describe(new("listProfiles", CallGroup.Read, "Find profiles",
            "By e-mail, by your own id, or by what is known of a person; the last added first. No match is an empty list, with a hint where a + in the address seems not to have been escaped.",
            typeof(ProfilesPage), """{"profiles":[],"nextCursor":null}""")
        {
            Parameters =
            [
                new("email", "The profile that holds this e-mail.", "sarah@example.com"),
                new("externalId", "The profile that holds this id of yours."),
                new("q", "A part, of three characters or more, of name, e-mail or externalId, several words in any order, case and accents ignored; or a whole profile id, session id, eventId, order id, payment id, charge or tracking number. A page may be short and still have a nextCursor.", "johnson sarah"),
                RouteParameter.Limit,
                RouteParameter.Cursor,
            ],
            Problems = [400, 401, 403, 503],
            Scope = Scopes.Read,
        });

        app.MapGet("/api/profiles/{id}", api.Profile).Describe(new("getProfile", CallGroup.Read, "Read a profile and its totals",
            "An id is one identifier's for ever and leads to the profile that holds it now. Revenue is exact, per currency, from what servers told.",
            typeof(ProfileDocument), """{"id":"671234567890abcdef123456","company_id":"TM-SHOP99","email":"sarah@example.com","name":"Sarah Johnson","traits":{"name":"Sarah Johnson"},"createdAt":"2025-10-18T10:08:00Z","firstSeen":"2025-10-18T10:00:00Z","lastActive":"2025-10-18T10:16:00Z","totals":{"events":7,"sessions":{"client":1,"server":1},"revenue":[{"currency":"USD","amount":"79.99"}]},"identifiers":[{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}],"traitTrust":{"name":"claimed"},"verified":{"firstSeen":"2025-10-18T10:12:00Z","lastActive":"2025-10-18T10:16:00Z"}}""")
        {
            Parameters = [RouteParameter.Profile],
            Problems = [401, 403, 404, 503],
            Scope = Scopes.Read,
        });

        app.MapGet("/api/profiles/{id}/timeline", api.Timeline).Describe(new("getTimeline", CallGroup.Read, "Read a timeline",
            "Newest first, stable while events arrive. Each event says why it is on this profile. With a filter, one call examines at most 20,000 events: a page can hold fewer events than the limit, or none, and still have a nextCursor. Read on until nextCursor is null.",
            typeof(TimelinePage), """{"events":[{"eventId":"evt_5","eventType":"payment_processed","eventData":{"orderId":"ch_abc123stripe","amount":79.99,"currency":"USD"},"timestamp":"2025-10-18T10:12:00Z","receivedAt":"2025-10-18T10:12:00.120Z","source":"server","sessionId":"webhook_1760782320_8c1f0a7be2d94356","userId":"671234567890abcdef123456","binding":{"method":"email","trust":"verified","chain":[{"kind":"event","eventId":"evt_5","at":"2025-10-18T10:12:00Z"},{"kind":"identifier","identifier":{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}},{"kind":"profile","profileId":"671234567890abcdef123456"}]}}],"nextCursor":null}""")
        {
            Parameters =
            [
                RouteParameter.Profile,
                new("source", "client or server; both if left out."),
                new("eventType", "Only events of this type."),
                new("from", "Only events from this time on: ISO 8601, UTC without an offset, a date alone, or unix seconds or milliseconds."),
                new("to", "Only events before this time, written the same way."),
                new("sessionId", "Only events of this session, by any id that an event or a webhook's answer shows."),
                new("q", "Only events that hold all these words in their type, id or data. Case and accents are ignored."),
                RouteParameter.Limit,
                RouteParameter.Cursor,
            ],
            Problems = [400, 401, 403, 404, 503],
            Scope = Scopes.Read,
        });

        app.MapGet("/api/sessions/{sessionId}", api.Session).Describe(new("getSession", CallGroup.Read, "Read a session",
            "A browser's session by its id, or a server's by any id that a webhook was answered with; oldest first. userId is whose it is now, null while it is nobody's.",
            typeof(SessionDocument), """{"_id":"5f0a7be2d94356a1c01b2c3d","company_id":"TM-SHOP99","sessionId":"session_1729260000_abc123","userId":null,"events":[{"eventId":"0199f6a5-0000-7000-8000-000000000001","eventType":"page_view","eventData":{"address":"https://shop.com/homepage"},"timestamp":"2025-10-18T10:00:00Z","userId":null}],"nextCursor":null}""")
        {
            Parameters = [new("sessionId", "A session's id.", "session_1729260000_abc123"), RouteParameter.Limit, RouteParameter.Cursor],
            Problems = [400, 401, 403, 404, 503],
            Scope = Scopes.Read,
        });

        app.MapGet("/api/events/{eventId}", api.Event).Describe(new("getEvent", CallGroup.Read, "Read what became of an event",
            "One receipt for each origin that sent the eventId: stored, with whose timeline it is on now and why; duplicate, where it is stored and has been sent again since; or rejected, with what to mend and the body. What was refused is kept within the bounds of the company, 30 days if it has not set others.",
            typeof(EventReceipts), """{"receipts":[{"eventId":"evt_5","source":"server","status":"stored","profileId":"671234567890abcdef123456","binding":{"method":"email","trust":"verified","chain":[{"kind":"event","eventId":"evt_5","at":"2025-10-18T10:12:00Z"},{"kind":"identifier","identifier":{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}},{"kind":"profile","profileId":"671234567890abcdef123456"}]},"receivedAt":"2025-10-18T10:12:00.120Z"}]}""")
        {
            Parameters = [new("eventId", "An event's id.", "evt_5")],
            Problems = [401, 403, 404, 503],
            Scope = Scopes.Read,
        });
    }
}
