using TrackMate.Bind;
using TrackMate.Store.Ingest;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>What a transaction costs over a network: how often it asks PostgreSQL and waits for the answer. A whole batch asks as often as one message.</summary>
[OwnStore, PlainPostgres]
public sealed class JourneysTests
{
    /// <summary>Of more than some 256 statements a journey carries no more.</summary>
    private const int Many = 20;

    [Theory]
    // Begin; what is stored; new sessions; the rows by COPY; commit.
    [InlineData("browsers' events", 5)]
    // Begin; what is stored and who is known; new sessions; what is known of them; the names in force; commit.
    [InlineData("identifies of new people", 6)]
    [InlineData("identifies of known people", 6)]
    // Begin; what is stored and who is known; runs and payments; the person; the person's runs; commit.
    [InlineData("webhooks that name known people", 6)]
    // And new sessions.
    [InlineData("webhooks that name known people and a session", 7)]
    [InlineData("webhooks that name known people twice", 6)]
    // Begin; what is stored; what it says; the person; the person's runs; commit.
    [InlineData("repeats", 6)]
    public async Task A_batch_asks_as_often_as_one_message(string what, int most)
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var engine = PostgresEngine.Of(schema.Connection);
        engine.Upgrade();
        using var database = (PostgresDatabase)engine.OpenWriter();
        var writer = new MessageWriter(new(database));
        var company = Messages.Company(1);

        // People who are known, each with a session, an externalId beside the e-mail, a payment and a server's event.
        Write(Of(range => Messages.Identify(company, $"known{range}", $"known{range}@shop.com", $"i{range}")));
        Write(Of(range => Twice(company, range, $"w{range}")));
        // And what takes numbers ahead has them.
        var one = Write([Message(0)]);
        var many = Write([.. Enumerable.Range(1, Many).Select(Message)]);

        Assert.Equal(one, many);
        Assert.Equal(most, many);

        Message Message(int number) => what switch
        {
            "browsers' events" => Messages.Browser(company, $"new{number}", $"e{number}"),
            "identifies of new people" => Messages.Identify(company, $"new{number}", $"new{number}@shop.com", $"e{number}"),
            "identifies of known people" => Messages.Identify(company, $"new{number}", $"known{number}@shop.com", $"e{number}"),
            "webhooks that name known people" => Messages.Webhook(company, $"known{number}@shop.com", $"e{number}", type: "payment_processed", data: $$"""{"amount":5,"currency":"EUR","paymentId":"p{{number}}"}"""),
            "webhooks that name known people and a session" => Messages.Webhook(company, $"known{number}@shop.com", $"e{number}", session: $"new{number}"),
            "webhooks that name known people twice" => Twice(company, number, $"e{number}"),
            _ => Twice(company, number, $"w{number}"),
        };

        long Write(Message[] messages)
        {
            var before = database.Pipe.RoundTrips;
            writer.Transaction.Begin([(company.Number, LockMode.Bind)], messages.Length);
            writer.Append(messages);
            writer.Transaction.Commit();
            return database.Pipe.RoundTrips - before;
        }
    }

    private static Message[] Of(Func<int, Message> message) => [.. Enumerable.Range(0, Many + 1).Select(message)];

    private static TrackedEvent Twice(Company company, int number, string eventId) => Messages.Webhook(company, $"known{number}@shop.com", eventId) with
    {
        Named = [Identifier.Email(company, $"known{number}@shop.com"), Identifier.External(company, $"customer{number}")],
        Order = EventOrder.Of(Messages.Ten + (eventId[0] == 'e' ? 1 : 0), Origin.Server),
    };
}
