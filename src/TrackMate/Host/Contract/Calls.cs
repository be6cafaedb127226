using TrackMate.Receive;
using TrackMate.Show;
using TrackMate.Transfer;

namespace TrackMate.Host.Contract;

/// <summary>Every call that this version answers.</summary>
internal static class Calls
{
    private const string Send = "Send";
    private const string Read = "Read";
    private const string Decide = "Decide";
    private const string Operate = "Operate";

    private static readonly CallParameter Limit = new("limit", InPath: false, "How many at most: 50 if left out; above 1,000 is read as 1,000.", "50", IsNumber: true);
    private static readonly CallParameter Cursor = new("cursor", InPath: false, "The nextCursor of the page before. Cursors never expire.");

    private const string Moved = "\"events\":3,\"sessions\":2,\"revenue\":[{\"currency\":\"USD\",\"amount\":\"79.99\"}]";
    private static readonly CallParameter Profile = new("id", InPath: true, "A profile's id: 24 hex digits.", "671234567890abcdef123456");
    private static readonly CallParameter Claim = new("id", InPath: true, "A claim's id, as a chain or the list of claims has it.", "cZXZ0XzM");

    public static readonly IReadOnlyList<Call> All =
    [
        new(HttpMethod.Post, "/api/events", "trackEvents", Send, "Send a browser's events",
            "One event or a batch of at most 500, 1 MiB and 32 KiB each. In a batch a bad event refuses itself only. An eventId sent again is a duplicate and changes nothing. The answer comes after the commit. POST /t/events is the same call.",
            typeof(EventsAnswer), """{"accepted":1,"duplicates":0}""")
        {
            Bodies = [typeof(BrowserEventBody), typeof(BrowserEventsBody)],
            BodyExample = """{"company_id":"TM-SHOP99","sessionId":"session_1729260000_abc123","eventType":"page_view","eventData":{"address":"https://shop.com/homepage"},"timestamp":"2025-10-18T10:00:00Z","eventId":"0199f6a5-0000-7000-8000-000000000001"}""",
            Problems = [400, 401, 403, 408, 413, 415, 422, 429, 503],
        },
        new(HttpMethod.Post, "/api/profile", "identify", Send, "Say who a browser's session is",
            "Every event of the session, past and future, is then on that person's timeline. The answer is always the id of the identifier in this message, known or not. A token, a JWT of the company's back end for this person and company, makes it verified; where the company enforces tokens, one without is a 401. POST /t/profile is the same call.",
            typeof(ProfileAnswer), """{"profileId":"671234567890abcdef123456"}""")
        {
            Bodies = [typeof(IdentifyBody)],
            BodyExample = """{"company_id":"TM-SHOP99","sessionId":"session_1729260000_abc123","email":"sarah@example.com","name":"Sarah Johnson","timestamp":"2025-10-18T10:08:00Z","eventId":"0199f6ac-5300-7000-8000-000000000002"}""",
            Problems = [400, 401, 403, 408, 413, 415, 422, 429, 503],
        },
        new(HttpMethod.Post, "/api/webhooks/events", "receiveWebhook", Send, "Send a back end's events",
            "One event or a batch of at most 500, for whomever the identifier names: userId, else email, else externalId, else sessionId. profileId is null while the session is nobody's. A batch is answered by one result each, in order, an answer or a problem.",
            typeof(WebhookAnswer), """{"profileId":"671234567890abcdef123456","sessionId":"webhook_1760782320_8c1f0a7be2d94356","eventId":"evt_5","duplicate":false}""")
        {
            Bodies = [typeof(WebhookBody), typeof(WebhooksBody)],
            BodyExample = """{"identifier":{"email":"sarah@example.com"},"eventType":"payment_processed","eventData":{"orderId":"ch_abc123stripe","amount":79.99,"currency":"USD"},"timestamp":"2025-10-18T10:12:00Z","eventId":"evt_5"}""",
            BatchAnswer = typeof(WebhookBatchAnswer),
            Problems = [400, 401, 403, 408, 413, 415, 422, 429, 503],
            Scope = "write",
        },
        new(HttpMethod.Get, "/api/profiles", "listProfiles", Read, "Find profiles",
            "By e-mail, by your own id, or by what is known of a person; the last added first. No match is an empty list, with a hint where a + in the address seems not to have been escaped.",
            typeof(ProfilesPage), """{"profiles":[],"nextCursor":null}""")
        {
            Parameters =
            [
                new("email", InPath: false, "The profile that holds this e-mail.", "sarah@example.com"),
                new("externalId", InPath: false, "The profile that holds this id of yours."),
                new("q", InPath: false, "A part, of three characters or more, of name, e-mail or externalId, several words in any order, case and accents ignored; or a whole profile id, session id, eventId, order id, payment id, charge or tracking number. A page may be short and still have a nextCursor.", "johnson sarah"),
                Limit,
                Cursor,
            ],
            Problems = [400, 401, 403, 503],
            Scope = "read",
        },
        new(HttpMethod.Get, "/api/profiles/{id}", "getProfile", Read, "Read a profile and its totals",
            "An id is one identifier's for ever and leads to the profile that holds it now. Revenue is exact, per currency, from what servers told.",
            typeof(ProfileDocument), """{"id":"671234567890abcdef123456","company_id":"TM-SHOP99","email":"sarah@example.com","name":"Sarah Johnson","traits":{"name":"Sarah Johnson"},"createdAt":"2025-10-18T10:08:00Z","firstSeen":"2025-10-18T10:00:00Z","lastActive":"2025-10-18T10:16:00Z","totals":{"events":7,"sessions":{"client":1,"server":1},"revenue":[{"currency":"USD","amount":"79.99"}]},"identifiers":[{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}],"traitTrust":{"name":"claimed"},"verified":{"firstSeen":"2025-10-18T10:12:00Z","lastActive":"2025-10-18T10:16:00Z"}}""")
        {
            Parameters = [new("id", InPath: true, "A profile's id: 24 hex digits.", "671234567890abcdef123456")],
            Problems = [401, 403, 404, 503],
            Scope = "read",
        },
        new(HttpMethod.Get, "/api/profiles/{id}/timeline", "getTimeline", Read, "Read a timeline",
            "Newest first, stable while events arrive. Each event says why it is on this profile. With a filter, one call examines at most 20,000 events: a page can hold fewer events than the limit, or none, and still have a nextCursor. Read on until nextCursor is null.",
            typeof(TimelinePage), """{"events":[{"eventId":"evt_5","eventType":"payment_processed","eventData":{"orderId":"ch_abc123stripe","amount":79.99,"currency":"USD"},"timestamp":"2025-10-18T10:12:00Z","receivedAt":"2025-10-18T10:12:00.120Z","source":"server","sessionId":"webhook_1760782320_8c1f0a7be2d94356","userId":"671234567890abcdef123456","binding":{"method":"email","trust":"verified","chain":[{"kind":"event","eventId":"evt_5","at":"2025-10-18T10:12:00Z"},{"kind":"identifier","identifier":{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}},{"kind":"profile","profileId":"671234567890abcdef123456"}]}}],"nextCursor":null}""")
        {
            Parameters =
            [
                new("id", InPath: true, "A profile's id: 24 hex digits.", "671234567890abcdef123456"),
                new("source", InPath: false, "client or server; both if left out."),
                new("eventType", InPath: false, "Only events of this type."),
                new("from", InPath: false, "Only events from this time on: ISO 8601, UTC without an offset, a date alone, or unix seconds or milliseconds."),
                new("to", InPath: false, "Only events before this time, written the same way."),
                new("sessionId", InPath: false, "Only events of this session, by any id that an event or a webhook's answer shows."),
                new("q", InPath: false, "Only events that hold all these words in their type, id or data. Case and accents are ignored."),
                Limit,
                Cursor,
            ],
            Problems = [400, 401, 403, 404, 503],
            Scope = "read",
        },
        new(HttpMethod.Get, "/api/sessions/{sessionId}", "getSession", Read, "Read a session",
            "A browser's session by its id, or a server's by any id that a webhook was answered with; oldest first. userId is whose it is now, null while it is nobody's.",
            typeof(SessionDocument), """{"_id":"5f0a7be2d94356a1c01b2c3d","company_id":"TM-SHOP99","sessionId":"session_1729260000_abc123","userId":null,"events":[{"eventId":"0199f6a5-0000-7000-8000-000000000001","eventType":"page_view","eventData":{"address":"https://shop.com/homepage"},"timestamp":"2025-10-18T10:00:00Z","userId":null}],"nextCursor":null}""")
        {
            Parameters = [new("sessionId", InPath: true, "A session's id.", "session_1729260000_abc123"), Limit, Cursor],
            Problems = [400, 401, 403, 404, 503],
            Scope = "read",
        },
        new(HttpMethod.Get, "/api/events/{eventId}", "getEvent", Read, "Read what became of an event",
            "One receipt for each origin that sent the eventId: stored, with whose timeline it is on now and why; duplicate, where it is stored and has been sent again since; or rejected, with what to mend and the body. What was refused is kept within the bounds of the company, 30 days if it has not set others.",
            typeof(EventReceipts), """{"receipts":[{"eventId":"evt_5","source":"server","status":"stored","profileId":"671234567890abcdef123456","binding":{"method":"email","trust":"verified","chain":[{"kind":"event","eventId":"evt_5","at":"2025-10-18T10:12:00Z"},{"kind":"identifier","identifier":{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}},{"kind":"profile","profileId":"671234567890abcdef123456"}]},"receivedAt":"2025-10-18T10:12:00.120Z"}]}""")
        {
            Parameters = [new("eventId", InPath: true, "An event's id.", "evt_5")],
            Problems = [401, 403, 404, 503],
            Scope = "read",
        },
        new(HttpMethod.Get, "/api/profiles/{id}/claims", "listClaims", Decide, "Read what binds a profile",
            "What was said of it and what operators decided, newest first: sessions, joins, merges, un-bindings, isolations, freezes; each with whether it stands.",
            typeof(ClaimsPage), """{"claims":[{"id":"cZXZ0XzM","kind":"session","status":"standing","at":"2025-10-18T10:08:00Z","method":"identify","trust":"claimed","eventId":"evt_3","sessionId":"session_1729260000_abc123","identifiers":[{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}]}],"nextCursor":null}""")
        {
            Parameters = [Profile, Limit, Cursor],
            Problems = [400, 401, 403, 404, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/claims/{id}/revoke", "revokeClaim", Decide, "Take a claim back",
            "As if it had never been said, by any message, past or future, until it is lifted. A merge, an un-binding, an isolation or a freeze is taken back for good.",
            typeof(ActDocument), $$"""{"claimId":"cZXZ0XzM","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Claim],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/claims/revoke", "revokeClaims", Decide, "Undo many claims of browsers at once",
            "Every claim that these sessions made, that named this identifier, that was received between these times; what is given must all fit. What a token or an API key stands behind stays. New claims that say the same are ignored until it is lifted; the answer's claimId takes the whole act back.",
            typeof(ActDocument), $$"""{"claimId":"claims_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}},"claims":{"claims":214,"sessions":12,"pairs":202,"exact":true} }""")
        {
            Bodies = [typeof(RevokeClaimsBody)],
            BodyExample = """{"identifier":{"email":"sarah@example.com"},"from":"2025-10-18T10:00:00Z","dryRun":true}""",
            Problems = [400, 401, 403, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/claims/{id}/lift", "liftClaim", Decide, "Let a revoked claim count again",
            "What was said of it meanwhile counts too.",
            typeof(ActDocument), $$"""{"claimId":"cZXZ0XzM","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Claim],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/sessions/{id}/unbind", "unbindSession", Decide, "Say that a session is nobody's",
            "From then to then, whatever is said of it. The answer's claimId takes it back.",
            typeof(ActDocument), $$"""{"claimId":"unbind_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [new("id", InPath: true, "A browser session's id.", "session_1729260000_abc123")],
            Bodies = [typeof(UnbindBody)],
            BodyExample = """{"from":"2025-10-18T10:00:00Z","to":"2025-10-18T11:00:00Z","dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/profiles/{id}/merge", "mergeProfiles", Decide, "Make two profiles one",
            "Without condition, until it is taken back. No event is touched. Sent again, it is the same merge.",
            typeof(ActDocument), $$"""{"mergeId":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Profile],
            Bodies = [typeof(MergeBody)],
            BodyExample = """{"profileId":"5f0a7be2d94356a1c01b2c3d","dryRun":true}""",
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/profiles/{id}/unmerge", "unmergeProfiles", Decide, "Take a merge back",
            "Both profiles are again what they would be without it.",
            typeof(ActDocument), $$"""{"mergeId":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Profile],
            Bodies = [typeof(UnmergeBody)],
            BodyExample = """{"mergeId":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":true}""",
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/profiles/{id}/isolate", "isolateIdentifier", Decide, "Undo everything that an identifier joined",
            "For an address that everybody uses: it is one person with no other, whatever was or will be said. Merges stand. The id is the one that is the identifier's own.",
            typeof(ActDocument), $$"""{"claimId":"isolate_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Profile],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Post, "/api/profiles/{id}/freeze", "freezeProfile", Decide, "Let nothing new join a profile",
            "What is first said from now on joins none of its identifiers; events still bind by what they name.",
            typeof(ActDocument), $$"""{"claimId":"freeze_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Profile],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = "admin",
        },
        new(HttpMethod.Get, "/api/audit", "readAudit", Decide, "Read who decided what",
            "Newest first.",
            typeof(AuditPage), """{"entries":[{"at":"2025-10-20T09:00:00Z","actor":"admin","action":"merge","detail":{"id":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","events":3,"sessions":2}}],"nextCursor":null}""")
        {
            Parameters = [Limit, Cursor],
            Problems = [400, 401, 403, 503],
            Scope = "admin",
        },
        new(HttpMethod.Get, "/api/profiles/{id}/export", "exportProfile", Decide, "Export a person",
            "All that is held of a person, as NDJSON: who they are, each message that concerns them as it was sent, and the acts about them. trackmate import takes it.",
            typeof(string), "\"{\\\"type\\\":\\\"profile\\\",\\\"format\\\":\\\"trackmate-export/1\\\"}\"")
        {
            Parameters = [Profile],
            ContentType = ExportApi.ContentType,
            Problems = [401, 403, 404, 503],
            Scope = "admin",
        },
        new(HttpMethod.Delete, "/api/profiles/{id}", "eraseProfile", Decide, "Erase a person",
            "Every message that names the person and every event on the timeline, out of the tables and the files. It cannot be taken back. Everybody else looks as if these had never been sent.",
            typeof(ErasureDocument), """{"profileId":"671234567890abcdef123456","dryRun":false,"erased":{"events":6,"identifies":1,"sessions":2,"identifiers":2,"rejected":0,"revenue":[{"currency":"USD","amount":"79.99"}]},"files":"clean"}""")
        {
            Parameters =
            [
                Profile,
                new("dryRun", InPath: false, "true only says what would go."),
                new("suppress", InPath: false, "true keeps a keyed hash, by which the person stays away."),
            ],
            Problems = [400, 401, 403, 404, 503],
            Scope = "admin",
        },
        new(HttpMethod.Get, "/health/live", "live", Operate, "Ask whether the process answers", "Always 200 while it runs.", typeof(HealthAnswer), """{"status":"live","version":"0.1.0"}"""),
        new(HttpMethod.Get, "/health/ready", "ready", Operate, "Ask whether the store takes what comes", "503 with a sentence while it does not.", typeof(HealthAnswer), """{"status":"ready","version":"0.1.0"}"""),
    ];
}
