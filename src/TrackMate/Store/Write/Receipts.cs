using TrackMate.Bind;
using TrackMate.Store.Read;

namespace TrackMate.Store.Write;

/// <summary>What senders are answered, as the store stands after their message.</summary>
internal sealed class Receipts(Database database)
{
    private readonly SpanRows spans = new(database);
    private readonly ServerRunRows runs = new(database);
    private readonly PersonReader people = new(database);

    /// <summary>The answer to a repeat: what is stored speaks, not what was sent again.</summary>
    public Receipt OfStored(Names names, Message message, Origin origin)
    {
        var company = message.Company;
        long? session, identifier;
        EventOrder order;
        bool reused;
        using (var stored = database.Use("SELECT session, identifier, at, type, data FROM message WHERE company = ? AND origin = ? AND event_id = ?"))
        {
            if (!stored.With(message.Company.Number).With((long)origin).With(message.EventId).Next()) throw new InvalidOperationException("A repeat of a message that is not stored.");
            session = stored.LongOrNull(0);
            identifier = stored.LongOrNull(1);
            order = new(stored.Long(2));
            reused = message switch
            {
                TrackedEvent sent => stored.TextOrNull(3) != sent.Type
                    || !stored.Bytes(4).SequenceEqual(sent.Data.Span)
                    || identifier != (sent.Named.Count == 0 ? null : names.Identifier(company, sent.Named[0].Id).Number)
                    || (identifier is null && session != names.Session(company, sent.SessionId!).Number),
                Identify sent => stored.TextOrNull(3) is not null || !stored.Bytes(4).SequenceEqual(sent.Said.Span),
                _ => true,
            };
        }

        if (origin is Origin.Browser || (session is null && identifier is null)) return new(Duplicate: true, reused);
        return Of(new(company, identifier ?? 0, identifier is null ? session ?? 0 : 0), order) with { Duplicate = true, Reused = reused };
    }

    /// <summary>The answer to a server event: whose timeline it is on, and in which session.</summary>
    public Receipt Of(RunHolder holder, EventOrder order)
    {
        var company = holder.Company;
        var owner = holder.Identifier != 0 ? holder.Identifier : spans.OwnerOf(company, holder.Session, order);
        var person = owner is { } number ? people.Of(company, number) : null;
        var session = person is null ? runs.WholeOfNobody(company, holder.Session, order) : runs.Whole(person, order);
        return new(Duplicate: false, ProfileId: person?.Id, ServerSessionId: company.Anchor(session.First.UnixMilliseconds, session.FirstEventId));
    }
}
