using TrackMate.Bind;
using TrackMate.Store.Sql;
using TrackMate.Store.Tables;

namespace TrackMate.Store.Ingest;

/// <summary>What a message told of an identifier that was stored before it.</summary>
[Flags]
internal enum NameNews
{
    None = 0,

    /// <summary>A bare id: what it is the id of.</summary>
    Kind = 1,

    /// <summary>That a verified message names it.</summary>
    Verified = 2,
}

/// <summary>A session or an identifier as the store numbers it. It has no row before its first message has one, so that a repeat leaves nothing behind.</summary>
internal sealed class InternedId(long number, bool stored)
{
    public long Number { get; } = number;

    public bool Stored { get; set; } = stored;

    /// <summary>Of an identifier: its kind as stored; a bare id becomes an e-mail or an externalId when that turns up.</summary>
    public IdentifierKind Kind { get; set; } = IdentifierKind.Bare;

    /// <summary>Of an identifier: unix milliseconds of the earliest message that named it.</summary>
    public long FirstNamed { get; set; } = long.MaxValue;

    /// <summary>Of an identifier: whether a verified message has ever named it.</summary>
    public bool Verified { get; set; }

    /// <summary>Of a session: the UTC day that its row says it began on, or will when the transaction ends.</summary>
    public long FirstDay { get; set; } = long.MaxValue;

    public IdentifierNode As(Identifier identifier) => new(Number, identifier.Id, Kind);
}

/// <summary>
/// Numbers of sessions and identifiers, for the writer. What has one keeps it, so what was seen may be kept; what an erasure takes away, or another process writes, it is
/// told of by the registry's version.
/// </summary>
internal sealed class Names(Database database)
{
    /// <summary>Most names kept in memory; past it all are forgotten and read again as they come.</summary>
    private const int Capacity = 100_000;

    private readonly Dictionary<(long Company, string SessionId), InternedId> sessions = [];
    private readonly Dictionary<(long Company, ProfileId Leaf), InternedId> identifiers = [];

    /// <summary>Sessions that have a row since this transaction, and no message yet.</summary>
    private readonly HashSet<InternedId> made = [];

    /// <summary>Forgets everything, as after a transaction that did not happen.</summary>
    public void Reset()
    {
        sessions.Clear();
        identifiers.Clear();
        made.Clear();
        database.ReadNumbers();
    }

    /// <summary>Whether a session is known to have a row.</summary>
    public bool Knows(long company, string sessionId) => sessions.TryGetValue((company, sessionId), out var known) && known.Stored;

    /// <summary>Whether no message before has named a session.</summary>
    public bool IsNew(InternedId session) => !session.Stored || made.Contains(session);

    /// <summary>A new transaction begins: sessions that the one before has made are not new to it.</summary>
    public void ForgetNew() => made.Clear();

    /// <summary>Keeps what was asked for many at once: sessions that all have rows, those that were made for it too.</summary>
    public void Keep(long company, IEnumerable<(string SessionId, long Number, long? FirstDay, bool IsNew)> found)
    {
        if (sessions.Count >= Capacity) sessions.Clear();
        foreach (var (sessionId, number, firstDay, isNew) in found)
        {
            var session = sessions[(company, sessionId)] = new(number, stored: true) { FirstDay = firstDay ?? long.MaxValue };
            if (isNew) made.Add(session);
        }
    }

    /// <summary>Keeps what was asked for many identifiers at once, for as long as nobody else may change it.</summary>
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

    /// <summary>Notes that a message named the session.</summary>
    /// <param name="marks">Told where the session began earlier than its row says.</param>
    /// <param name="day">The UTC day of the event that names it, where that is a browser's and no bot's.</param>
    public void Store(Company company, string sessionId, InternedId session, DirtySessions marks, long? day = null)
    {
        var isEarlier = day < session.FirstDay;
        if (isEarlier) session.FirstDay = day!.Value;
        made.Remove(session);
        if (session.Stored)
        {
            if (isEarlier) marks.Begins(company, session.Number, day!.Value);
            return;
        }

        database.Use("INSERT INTO session (id, company, session_id, first_day) VALUES (?, ?, ?, ?)").With(session.Number).With(company.Number).With(sessionId).With(day).Run();
        session.Stored = true;
    }

    /// <param name="asked">By a stranger: then the store is asked whether or not it is known here, so that how long it takes does not tell. Where many are asked for at once, this one was among them.</param>
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

    /// <summary>Whether a message names a profile's id that no identifier has turned up for.</summary>
    public bool IsUnknownUserId(TrackedEvent tracked) => tracked.Named is [{ Kind: IdentifierKind.Bare } first, ..] && Identifier(tracked.Company, first.Id).Kind is IdentifierKind.Bare;

    /// <summary>Notes that a message of this time named the identifier.</summary>
    /// <param name="asked">By a stranger: then one statement writes one row, whether or not it is new, so that how long it takes does not tell.</param>
    public NameNews Store(Company company, Identifier identifier, InternedId numbered, long unixMilliseconds, Trust trust, bool asked = false)
    {
        var news = numbered is { Stored: true, Kind: IdentifierKind.Bare } && identifier.Kind is not IdentifierKind.Bare ? NameNews.Kind : NameNews.None;
        if (numbered is { Stored: true, Verified: false } && trust is Trust.Verified)
        {
            database.Use("UPDATE identifier SET verified = 1 WHERE id = ? AND company = ?").With(numbered.Number).With(company.Number).Run();
            news |= NameNews.Verified;
        }

        numbered.Verified |= trust is Trust.Verified;
        var named = identifier.Kind is IdentifierKind.Bare ? long.MaxValue : Math.Min(unixMilliseconds, numbered.FirstNamed);
        if (!numbered.Stored || named < numbered.FirstNamed || (asked && identifier.Kind is not IdentifierKind.Bare))
        {
            Span<byte> bytes = stackalloc byte[ProfileId.ByteLength];
            identifier.Id.CopyTo(bytes);
            if (news.HasFlag(NameNews.Kind)) database.Use("UPDATE identifier SET indexed_as = COALESCE(indexed_as, search) WHERE id = ? AND company = ?").With(numbered.Number).With(company.Number).Run();
            // A bare id learns here what it is the id of; of any other the name and the kind follow from the leaf and stay.
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
        return news;
    }
}
