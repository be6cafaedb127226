using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Http;
using TrackMate.Store.Timeline;

namespace TrackMate.Show;

/// <summary>Reads which claims to undo, from an API call or a form.</summary>
internal static class AskedClaims
{
    private const int MostSessions = 1000;

    private const int MaxIdentifier = 320;

    /// <exception cref="RejectionException">A member is invalid, or no condition is given.</exception>
    public static ClaimFilter Read(BodyFields body, Company company)
    {
        var filter = new ClaimFilter(SessionsIn(body), IdentifierIn(body, company), body.Time("from"), body.Time("to"));
        return Checked(filter);
    }

    /// <param name="sessions">One id per line.</param>
    /// <param name="identifier">An e-mail, an externalId or a profile id.</param>
    /// <exception cref="RejectionException">As for an API call.</exception>
    public static ClaimFilter Read(string sessions, string identifier, string from, string to, Company company, Clock clock)
    {
        var ids = sessions.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (ids.Length > MostSessions) throw TooManySessions();
        return Checked(new(
            ids.Length == 0 ? null : ids,
            identifier.Trim() is { Length: > 0 } text ? IdentifierOf(text, company) : null,
            from.Length == 0 ? null : clock.ReadLocal(from) ?? throw NoTime("from"),
            to.Length == 0 ? null : clock.ReadLocal(to) ?? throw NoTime("to")));
    }

    public static RejectionException TooMany() => new(Reason.BadValue, $"More than {ClaimSet.Most} claims match; narrow them by from and to, and undo them in several acts.");

    private static ClaimFilter Checked(ClaimFilter filter)
    {
        if (filter.IsEmpty) throw new RejectionException(Reason.MissingField, "Nothing narrows the claims; send sessions, identifier, from or to.");
        return filter is not { From: { } from, To: { } to } || from < to ? filter : throw new RejectionException(Reason.BadValue, "from is not before to; send a from that is earlier than to.", "from");
    }

    private static IReadOnlyList<string>? SessionsIn(BodyFields body)
    {
        if (body.Find("sessions") is not { } value) return null;
        if (value.ValueKind is not JsonValueKind.Array || value.GetArrayLength() == 0 || value.EnumerateArray().Any(session => session.ValueKind is not JsonValueKind.String || session.GetString() is not { Length: > 0 and <= WireObject.MaxLength }))
            throw new RejectionException(Reason.WrongType, $"sessions is not an array of session ids, each 1 to {WireObject.MaxLength} characters.", "sessions");
        return value.GetArrayLength() <= MostSessions ? [.. value.EnumerateArray().Select(session => session.GetString()!)] : throw TooManySessions();
    }

    private static ProfileId? IdentifierIn(BodyFields body, Company company)
    {
        if (body.Find("identifier") is null) return null;
        if (body.Object("identifier") is { Count: 1 } identifier)
        {
            if (identifier.TextOrNull("externalId", MaxIdentifier) is { } externalId) return Identifier.External(company, externalId).Id;
            if (identifier.TextOrNull("email", MaxIdentifier) is { } given && EmailAddress.TryNormalize(given, out var email)) return Identifier.Email(company, email).Id;
            if (ProfileId.TryParse(identifier.TextOrNull("userId", MaxIdentifier), out var id)) return id;
        }

        throw new RejectionException(Reason.BadValue, "identifier is not an object with one of email, externalId and userId.", "identifier");
    }

    private static ProfileId IdentifierOf(string text, Company company) =>
        ProfileId.TryParse(text, out var id) ? id : EmailAddress.TryNormalize(text, out var email) ? Identifier.Email(company, email).Id : Identifier.External(company, text).Id;

    private static RejectionException NoTime(string name) => new(Reason.BadValue, $"{name} is not a time; send ISO 8601, such as 2025-10-18T10:00:00Z.", name);

    private static RejectionException TooManySessions() => new(Reason.BadValue, $"More than {MostSessions} sessions are named; undo them in several acts.", "sessions");
}
