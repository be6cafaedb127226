using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>What a message adds to an identifier that was stored before.</summary>
[Flags]
internal enum NameChange
{
    None = 0,

    /// <summary>The kind of a bare id: it is known now which identifier it is the id of.</summary>
    Kind = 1,

    /// <summary>That a verified message names it.</summary>
    Verified = 2,
}

/// <summary>A session or an identifier with its number in the store. Its row is inserted together with its first message, so a repeat leaves no row behind.</summary>
internal sealed class InternedId(long number, bool stored)
{
    public long Number { get; } = number;

    public bool Stored { get; set; } = stored;

    /// <summary>For an identifier: its stored kind. A bare id becomes an e-mail or an externalId when a message names that.</summary>
    public IdentifierKind Kind { get; set; } = IdentifierKind.Bare;

    /// <summary>For an identifier: the time of the earliest message that named it, unix milliseconds.</summary>
    public long FirstNamed { get; set; } = long.MaxValue;

    /// <summary>For an identifier: whether a verified message has ever named it.</summary>
    public bool Verified { get; set; }

    /// <summary>For a session: the UTC day on which it began, as its row has it or will have it when the transaction ends.</summary>
    public long FirstDay { get; set; } = long.MaxValue;

    public IdentifierNode As(Identifier identifier) => new(Number, identifier.Id, Kind);
}

/// <summary>
/// The writer's cache of the numbers of sessions and identifiers. A number never changes, so it can be cached. An erasure or another process that writes raises the
/// registry's version, and the cache is then cleared.
/// </summary>
internal sealed class IdCache(Database database)
{
    /// <summary>The most names in the cache. When it is full, all are dropped and read again when needed.</summary>
    private const int Capacity = 100_000;

    private readonly Dictionary<(long Company, string SessionId), InternedId> sessions = [];
    private readonly Dictionary<(long Company, ProfileId Leaf), InternedId> identifiers = [];

    /// <summary>Sessions whose row was created in this transaction, before any message of theirs.</summary>
    private readonly HashSet<InternedId> created = [];

    /// <summary>Clears the cache, for example after a failed transaction.</summary>
    public void Reset()
    {
        sessions.Clear();
        identifiers.Clear();
        created.Clear();
        database.ReadNumbers();
    }

    /// <summary>Whether the cache knows that a session has a row.</summary>
    public bool Knows(long company, string sessionId) => sessions.TryGetValue((company, sessionId), out var known) && known.Stored;

    /// <summary>Whether no earlier message has named a session.</summary>
    public bool IsNew(InternedId session) => !session.Stored || created.Contains(session);

    /// <summary>Starts a transaction: sessions that the previous one created are not new to it.</summary>
    public void ClearNew() => created.Clear();

    /// <summary>Caches the result of a query for many sessions. All of them have rows, including those that were created by the same query.</summary>
    public void Keep(long company, IEnumerable<(string SessionId, long Number, long? FirstDay, bool IsNew)> found)
    {
        if (sessions.Count >= Capacity) sessions.Clear();
        foreach (var (sessionId, number, firstDay, isNew) in found)
        {
            var session = sessions[(company, sessionId)] = new(number, stored: true) { FirstDay = firstDay ?? long.MaxValue };
            if (isNew) created.Add(session);
        }
    }

    /// <summary>Caches the result of a query for many identifiers, for the duration of the transaction.</summary>
    public void Keep(long company, IReadOnlySet<ProfileId> asked, IEnumerable<(ProfileId Leaf, long Number, IdentifierKind Kind, long? FirstNamed, bool Verified)> found)
    {
        if (identifiers.Count >= Capacity) identifiers.Clear();
        var unknown = asked.ToHashSet();
        foreach (var (leaf, number, kind, firstNamed, verified) in found)
        {
            identifiers[(company, leaf)] = new(number, stored: true) { Kind = kind, FirstNamed = firstNamed ?? long.MaxValue, Verified = verified };
            unknown.Remove(leaf);
        }

        foreach (var leaf in unknown) identifiers[(company, leaf)] = new(database.NextNumber("identifier"), stored: false);
    }

    public InternedId Session(Company company, string sessionId)
    {
        if (sessions.TryGetValue((company.Number, sessionId), out var known)) return known;
        if (sessions.Count >= Capacity) sessions.Clear();

        using var find = database.Use("SELECT id, first_day FROM session WHERE company = ? AND session_id = ?");
        var found = find.With(company.Number).With(sessionId).Next();
        return sessions[(company.Number, sessionId)] = found
            ? new(find.Long(0), stored: true) { FirstDay = find.LongOrNull(1) ?? long.MaxValue }
            : new(database.NextNumber("session"), stored: false);
    }

    /// <summary>Records that a message named the session.</summary>
    /// <param name="marks">Records the session if it began earlier than its row says.</param>
    /// <param name="day">The UTC day of the event, if it is a browser's event and not a bot's.</param>
    public void Store(Company company, string sessionId, InternedId session, DirtySessions marks, long? day = null)
    {
        var isEarlier = day < session.FirstDay;
        if (isEarlier) session.FirstDay = day!.Value;
        created.Remove(session);
        if (session.Stored)
        {
            if (isEarlier) marks.Begins(company, session.Number, day!.Value);
            return;
        }

        database.Use("INSERT INTO session (id, company, session_id, first_day) VALUES (?, ?, ?, ?)").With(session.Number).With(company.Number).With(sessionId).With(day).Run();
        session.Stored = true;
    }

    /// <param name="asked">Whether a browser's request names the identifier. The store is then queried even if the identifier is cached, so that the response time does not reveal whether it is known. On a shared store the query for the whole batch has already done that.</param>
    public InternedId Identifier(Company company, ProfileId leaf, bool asked = false)
    {
        var known = identifiers.GetValueOrDefault((company.Number, leaf));
        if (known is not null && (!asked || database.IsShared)) return known;
        if (identifiers.Count >= Capacity) identifiers.Clear();

        Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
        leaf.CopyTo(bytes);
        using var find = database.Use("SELECT id, kind, first_named_ms, verified FROM identifier WHERE company = ? AND leaf = ?");
        var found = find.With(company.Number).WithBlob(bytes).Next();
        if (known is not null) return known;
        var numbered = found
            ? new InternedId(find.Long(0), stored: true) { Kind = (IdentifierKind)find.Long(1), FirstNamed = find.LongOrNull(2) ?? long.MaxValue, Verified = find.Long(3) == 1 }
            : new InternedId(database.NextNumber("identifier"), stored: false);
        return identifiers[(company.Number, leaf)] = numbered;
    }

    /// <summary>The identifiers that a message names, in its order.</summary>
    public InternedId[] IdentifiersOf(Message message)
    {
        if (message.Named.Count == 0) return [];
        var numbers = new InternedId[message.Named.Count];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = Identifier(message.Company, message.Named[i].Id, asked: message is Identify);
        return numbers;
    }

    /// <summary>Whether a message names a profile id to which no known identifier belongs.</summary>
    public bool IsUnknownUserId(TrackedEvent tracked) => tracked.Named is [{ Kind: IdentifierKind.Bare } first, ..] && Identifier(tracked.Company, first.Id).Kind is IdentifierKind.Bare;

    /// <summary>Records that a message named the identifier at a time.</summary>
    /// <param name="asked">Whether a browser's request names it. Then one statement writes one row in any case, so that the response time does not reveal whether it is new.</param>
    public NameChange Store(Company company, Identifier identifier, InternedId numbered, long unixMilliseconds, Trust trust, bool asked = false)
    {
        var change = numbered is { Stored: true, Kind: IdentifierKind.Bare } && identifier.Kind is not IdentifierKind.Bare ? NameChange.Kind : NameChange.None;
        if (numbered is { Stored: true, Verified: false } && trust is Trust.Verified)
        {
            database.Use("UPDATE identifier SET verified = 1 WHERE id = ? AND company = ?").With(numbered.Number).With(company.Number).Run();
            change |= NameChange.Verified;
        }

        numbered.Verified |= trust is Trust.Verified;
        var named = identifier.Kind is IdentifierKind.Bare ? long.MaxValue : Math.Min(unixMilliseconds, numbered.FirstNamed);
        if (!numbered.Stored || named < numbered.FirstNamed || (asked && identifier.Kind is not IdentifierKind.Bare))
        {
            Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
            identifier.Id.CopyTo(bytes);
            if (change.HasFlag(NameChange.Kind)) database.Use("UPDATE identifier SET indexed_as = COALESCE(indexed_as, search) WHERE id = ? AND company = ?").With(numbered.Number).With(company.Number).Run();
            // This message says which identifier a bare id belongs to. The name and the kind of any other identifier follow from its leaf and never change.
            database.Use($"""
                INSERT INTO identifier (id, company, leaf, kind, value, first_named_ms, search, person, verified) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?1, ?8)
                ON CONFLICT (company, leaf) DO UPDATE SET kind = excluded.kind, value = excluded.value, first_named_ms = excluded.first_named_ms,
                  search = CASE WHEN identifier.kind = {IdentifierTable.Bare} THEN excluded.search ELSE identifier.search END
                """)
                .With(numbered.Number).With(company.Number).WithBlob(bytes).With((long)identifier.Kind).With(identifier.Value)
                .With(named == long.MaxValue ? null : named).With(SearchText.Of(identifier.Value, null)).With(numbered.Verified ? 1 : 0).Run();
            numbered.Stored = true;
            numbered.Kind = identifier.Kind;
        }

        if (identifier.Kind is not IdentifierKind.Bare) numbered.FirstNamed = named;
        return change;
    }
}
