using TrackMate.Http;
using TrackMate.Manage;

namespace TrackMate.Show;

/// <summary>The routes of <see cref="ActApi"/>, each with its contract.</summary>
internal static class ActRoutes
{
    private const string Moved = "\"events\":3,\"sessions\":2,\"revenue\":[{\"currency\":\"USD\",\"amount\":\"79.99\"}]";

    private static readonly RouteParameter Claim = new("id", "A claim's id, as a chain or the list of claims has it.", "cZXZ0XzM");

    public static void Map(WebApplication app)
    {
        var api = app.Services.GetRequiredService<ActApi>();
        app.MapGet("/api/profiles/{id}/claims", api.Claims).Describe(new("listClaims", CallGroup.Decide, "Read what binds a profile",
            "What was said of it and what operators decided, newest first: sessions, joins, merges, un-bindings, isolations, freezes; each with whether it stands.",
            typeof(ClaimsPage), """{"claims":[{"id":"cZXZ0XzM","kind":"session","status":"standing","at":"2025-10-18T10:08:00Z","method":"identify","trust":"claimed","eventId":"evt_3","sessionId":"session_1729260000_abc123","identifiers":[{"kind":"email","value":"sarah@example.com","id":"671234567890abcdef123456"}]}],"nextCursor":null}""")
        {
            Parameters = [RouteParameter.Profile, RouteParameter.Limit, RouteParameter.Cursor],
            Problems = [400, 401, 403, 404, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/claims/{id}/revoke", api.Revoke).Describe(new("revokeClaim", CallGroup.Decide, "Take a claim back",
            "As if it had never been said, by any message, past or future, until it is lifted. A merge, an un-binding, an isolation or a freeze is taken back for good.",
            typeof(ActDocument), $$"""{"claimId":"cZXZ0XzM","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Claim],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/claims/revoke", api.RevokeMany).Describe(new("revokeClaims", CallGroup.Decide, "Undo many claims of browsers at once",
            "Every claim that these sessions made, that named this identifier, that was received between these times; what is given must all fit. What a token or an API key stands behind stays. New claims that say the same are ignored until it is lifted; the answer's claimId takes the whole act back.",
            typeof(ActDocument), $$"""{"claimId":"claims_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}},"claims":{"claims":214,"sessions":12,"pairs":202,"exact":true} }""")
        {
            Bodies = [typeof(RevokeClaimsBody)],
            BodyExample = """{"identifier":{"email":"sarah@example.com"},"from":"2025-10-18T10:00:00Z","dryRun":true}""",
            Problems = [400, 401, 403, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/claims/{id}/lift", api.Lift).Describe(new("liftClaim", CallGroup.Decide, "Let a revoked claim count again",
            "What was said of it meanwhile counts too.",
            typeof(ActDocument), $$"""{"claimId":"cZXZ0XzM","dryRun":false,{{Moved}}}""")
        {
            Parameters = [Claim],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/sessions/{id}/unbind", api.Unbind).Describe(new("unbindSession", CallGroup.Decide, "Say that a session is nobody's",
            "From then to then, whatever is said of it. The answer's claimId takes it back.",
            typeof(ActDocument), $$"""{"claimId":"unbind_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [new("id", "A browser session's id.", "session_1729260000_abc123")],
            Bodies = [typeof(UnbindBody)],
            BodyExample = """{"from":"2025-10-18T10:00:00Z","to":"2025-10-18T11:00:00Z","dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/profiles/{id}/merge", api.Merge).Describe(new("mergeProfiles", CallGroup.Decide, "Make two profiles one",
            "Without condition, until it is taken back. No event is touched. Sent again, it is the same merge.",
            typeof(ActDocument), $$"""{"mergeId":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [RouteParameter.Profile],
            Bodies = [typeof(MergeBody)],
            BodyExample = """{"profileId":"5f0a7be2d94356a1c01b2c3d","dryRun":true}""",
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/profiles/{id}/unmerge", api.Unmerge).Describe(new("unmergeProfiles", CallGroup.Decide, "Take a merge back",
            "Both profiles are again what they would be without it.",
            typeof(ActDocument), $$"""{"mergeId":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [RouteParameter.Profile],
            Bodies = [typeof(UnmergeBody)],
            BodyExample = """{"mergeId":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":true}""",
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/profiles/{id}/isolate", api.Isolate).Describe(new("isolateIdentifier", CallGroup.Decide, "Undo everything that an identifier joined",
            "For an address that everybody uses: it is one person with no other, whatever was or will be said. Merges stand. The id is the one that is the identifier's own.",
            typeof(ActDocument), $$"""{"claimId":"isolate_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [RouteParameter.Profile],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapPost("/api/profiles/{id}/freeze", api.Freeze).Describe(new("freezeProfile", CallGroup.Decide, "Let nothing new join a profile",
            "What is first said from now on joins none of its identifiers; events still bind by what they name.",
            typeof(ActDocument), $$"""{"claimId":"freeze_0f3a5c7e9b1d2f4a6c8e0b1d","dryRun":false,{{Moved}}}""")
        {
            Parameters = [RouteParameter.Profile],
            Bodies = [typeof(ActBody)],
            BodyExample = """{"dryRun":true}""",
            IsBodyOptional = true,
            Problems = [400, 401, 403, 404, 422, 503],
            Scope = Scopes.Admin,
        });

        app.MapGet("/api/audit", api.AuditLog).Describe(new("readAudit", CallGroup.Decide, "Read who decided what",
            "Newest first.",
            typeof(AuditPage), """{"entries":[{"at":"2025-10-20T09:00:00Z","actor":"admin","action":"merge","detail":{"id":"merge_0f3a5c7e9b1d2f4a6c8e0b1d","events":3,"sessions":2}}],"nextCursor":null}""")
        {
            Parameters = [RouteParameter.Limit, RouteParameter.Cursor],
            Problems = [400, 401, 403, 503],
            Scope = Scopes.Admin,
        });
    }
}

// Nobody makes these records: they name the fields that the acts can read (Http/BodyFields.cs), and they are the schema of the bodies.

/// <summary>A body of which everything may be left out.</summary>
/// <param name="DryRun">Says what would move, and does nothing.</param>
internal sealed record ActBody(bool? DryRun = null) : IRequestBody;

/// <summary>Which claims of browsers to undo: at least one member, all of them have to fit.</summary>
internal sealed record RevokeClaimsBody(
    IReadOnlyList<string>? Sessions = null,
    ClaimedIdentifier? Identifier = null,
    DateTimeOffset? From = null,
    DateTimeOffset? To = null,
    bool? DryRun = null) : IRequestBody;

/// <summary>One of the three.</summary>
internal sealed record ClaimedIdentifier(string? Email = null, string? ExternalId = null, string? UserId = null) : IRequestBody;

/// <summary>When a session is nobody's.</summary>
/// <param name="From">Inclusive; from its beginning if left out.</param>
/// <param name="To">Exclusive; for good if left out, whatever is said of it later.</param>
internal sealed record UnbindBody(DateTimeOffset? From = null, DateTimeOffset? To = null, bool? DryRun = null) : IRequestBody;

/// <param name="ProfileId">The profile that becomes one with that of the address.</param>
internal sealed record MergeBody(string ProfileId, bool? DryRun = null) : IRequestBody;

/// <param name="MergeId">As the merge was answered with.</param>
internal sealed record UnmergeBody(string MergeId, bool? DryRun = null) : IRequestBody;
