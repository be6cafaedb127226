using System.Text;
using System.Text.Json;
using TrackMate.Bind;
using TrackMate.Store.Sql;

namespace TrackMate.Store.Tables;

/// <summary>
/// Who was erased and is to stay away. Only keyed hashes are kept, of another kind than the ids that were public, so that neither an old id nor the list by itself
/// tells who it was.
/// </summary>
internal sealed class Suppressed(Database database)
{
    private const string Kind = "suppressed";

    /// <summary>Of a rejected body so many e-mails are looked up.</summary>
    private const int MostEmails = 1000;

    private readonly HashSet<(long Company, ProfileId Hash)> hashes = [];
    private readonly HashSet<long> companies = [];

    /// <summary>Under what an identifier is kept; of an e-mail or externalId also its id, by which a back end may name it.</summary>
    public static IEnumerable<ProfileId> HashesOf(Company company, Identifier identifier)
    {
        yield return company.KeyedId(Kind, "id:" + identifier.Id);
        if (identifier.Kind is IdentifierKind.Bare) yield break;
        yield return HashOf(company, identifier);
    }

    public static void Add(Database database, Company company, Identifier identifier, long unixMilliseconds)
    {
        Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
        foreach (var hash in HashesOf(company, identifier))
        {
            hash.CopyTo(bytes);
            database.Use("INSERT INTO suppressed (company, hash, since_ms, kept_out) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING").With(company.Number).WithBlob(bytes).With(unixMilliseconds).Run();
        }
    }

    /// <summary>Lets somebody come back.</summary>
    /// <returns>False where they were not kept away.</returns>
    public static bool Lift(Database database, Company company, Identifier identifier)
    {
        Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
        var lifted = 0;
        foreach (var hash in HashesOf(company, identifier))
        {
            hash.CopyTo(bytes);
            lifted += database.Use("DELETE FROM suppressed WHERE company = ? AND hash = ?").With(company.Number).WithBlob(bytes).RunCounted();
        }

        return lifted > 0;
    }

    /// <summary>Reads anew who stays away.</summary>
    public void Load()
    {
        hashes.Clear();
        companies.Clear();
        using var rows = database.Use("SELECT company, hash FROM suppressed");
        while (rows.Next())
        {
            hashes.Add((rows.Long(0), ProfileId.FromBytes(rows.Bytes(1))));
            companies.Add(rows.Long(0));
        }
    }

    /// <summary>Whether a message names somebody who stays away; it is counted, so that what was taken and kept out leaves a committed trace.</summary>
    public bool KeepsOut(Message message)
    {
        if (!companies.Contains(message.Company.Number)) return false;
        foreach (var identifier in message.Named)
        {
            var hash = identifier.Kind is IdentifierKind.Bare ? message.Company.KeyedId(Kind, "id:" + identifier.Id) : HashOf(message.Company, identifier);
            if (!hashes.Contains((message.Company.Number, hash))) continue;
            Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
            hash.CopyTo(bytes);
            database.Use("UPDATE suppressed SET kept_out = kept_out + 1 WHERE company = ? AND hash = ?").With(message.Company.Number).WithBlob(bytes).Run();
            return true;
        }

        return false;
    }

    /// <summary>Of what was refused, the bodies that name somebody who stays away are not kept: that they were refused, and why, is.</summary>
    public RejectionRecord WithoutTheirBodies(RejectionRecord rejected) => !companies.Contains(rejected.Company.Number) ? rejected : rejected with
    {
        Events = [.. rejected.Events.Select(refused => IsNamedIn(rejected.Company, refused.Body.Span) ? refused with { Body = default } : refused)],
    };

    /// <summary>Looks at every e-mail, externalId and userId of a body, as far as it is JSON, and at whatever looks like an e-mail in it, whatever it is.</summary>
    private bool IsNamedIn(Company company, ReadOnlySpan<byte> body)
    {
        // The writer's time is everybody's: what looks like more e-mails than these is not kept either.
        var emails = Readings.Of(body).SelectMany(Readings.EmailsIn).Distinct(StringComparer.Ordinal).Take(MostEmails).ToList();
        if (emails.Count == MostEmails || emails.Exists(text => EmailAddress.TryNormalize(text, out var found) && Has(HashOf(company, Identifier.Email(company, found))))) return true;
        try
        {
            // Not its end, maybe: a large one is cut.
            var reader = new Utf8JsonReader(body, isFinalBlock: false, state: default);
            while (reader.Read())
            {
                if (reader.TokenType is not JsonTokenType.PropertyName) continue;
                var (isEmail, isExternal, isUserId) = (reader.ValueTextEquals("email"u8), reader.ValueTextEquals("externalId"u8), reader.ValueTextEquals("userId"u8));
                if ((!isEmail && !isExternal && !isUserId) || !reader.Read()) continue;
                var value = reader.TokenType switch
                {
                    JsonTokenType.String => reader.GetString()!,
                    JsonTokenType.Number => Encoding.UTF8.GetString(reader.ValueSpan),
                    _ => "",
                };
                if (isEmail && EmailAddress.TryNormalize(value, out var email) && Has(HashOf(company, Identifier.Email(company, email)))) return true;
                if (isExternal && value.Length > 0 && Has(HashOf(company, Identifier.External(company, value)))) return true;
                if (isUserId && ProfileId.TryParse(value.Trim(), out var id) && Has(company.KeyedId(Kind, "id:" + id))) return true;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON from there on, or not text.
        }

        return false;

        bool Has(ProfileId hash) => hashes.Contains((company.Number, hash));
    }

    private static ProfileId HashOf(Company company, Identifier identifier) =>
        company.KeyedId(Kind, (identifier.Kind is IdentifierKind.Email ? "email:" : "external:") + identifier.Value);
}
