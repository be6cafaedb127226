using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Rebuild;
using TrackMate.Store.Sql;
using TrackMate.Store.Sql.Postgres;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>B9 on many nodes: whichever server takes which message, and at the same moment, the view is the one that the rules define.</summary>
[OwnStore]
public sealed class SharedHistoriesTests
{
    /// <summary>As a client does that asks another server.</summary>
    private const int MostTries = 50;

    /// <summary>On a server that orders text by a language: whatever the order of bytes decides has to be asked for.</summary>
    [Fact]
    public async Task What_several_servers_take_at_once_ends_in_the_view_that_the_rules_define()
    {
        await using var server = await PostgresServer.StartAsync(new() { Fsync = false, Language = "en-US" });
        await using var schema = await PostgresSchema.CreateAsync(server);
        using var one = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        using var other = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        var companies = new List<Company>();

        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            var company = History.CompanyOf(companies.Count + 1, history.Settings);
            companies.Add(company);
            var acts = new PlayedActs(one, company, history);

            // A message that uses another's eventId again could come first here; what is sent twice goes to both.
            var messages = history.Stored.Select(message => message with { Company = company }).ToArray();
            random.Shuffle(messages);
            var shares = messages.ToLookup(_ => random.Next(3));
            var answers = await Task.WhenAll(SendAsync(one, [.. shares[0], .. shares[1]]), SendAsync(other, [.. shares[1], .. shares[2]]));
            foreach (var sent in answers.SelectMany(answer => answer).GroupBy(sent => (sent.Message.Order.Origin, sent.Message.EventId)))
                Assert.True(sent.Count(answer => !answer.Receipt.Duplicate) == 1, $"Of {sent.Count()} answers to {sent.Key} not exactly one says that it is new.");
            await acts.DoAsync(int.MaxValue);

            var expected = NaiveView.Of(History.CompanyOf(0, history.Settings), history.Messages, acts.Standing).ToText();
            View.AssertEqual(expected, acts.Named(StoredView.Read(other, company, history.Stored, random).ToText()), "Two servers end in another view:");
        }, iter: StoreUnderTest.Histories(40), threads: 1, print: history => history.ToString());

        using var engine = PostgresEngine.Of(schema.Connection);
        using var reader = engine.OpenReader();
        Assert.Empty(DerivedTables.Differences(reader, companies).Differences);
    }

    private static async Task<List<(Message Message, Receipt Receipt)>> SendAsync(MessageStore store, IReadOnlyList<Message> messages)
    {
        var answers = new List<(Message, Receipt)>();
        foreach (var batch in messages.Chunk(2)) answers.AddRange(batch.Zip(await AppendAsync(store, batch)));
        return answers;
    }

    private static async Task<Receipt[]> AppendAsync(MessageStore store, Message[] batch)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await store.AppendAsync(batch);
            }
            catch (StoreUnavailableException) when (tries < MostTries)
            {
                // They met more often than a transaction is tried again; nothing was stored.
            }
        }
    }
}
