using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using TrackMate.Bind;
using TrackMate.Store;
using TrackMate.Store.Postgres;
using TrackMate.Tests.Model;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>B9 on many nodes: whichever server takes which message, and at the same moment, the view is the one that the rules define.</summary>
[OwnStore]
public sealed class SharedHistoriesTests
{
    /// <summary>As a client does that asks another server.</summary>
    private const int MostTries = 50;

    [Fact]
    public async Task What_several_servers_take_at_once_ends_in_the_view_that_the_rules_define()
    {
        await using var schema = await PostgresSchema.CreateAsync();
        using var one = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        using var other = MessageStore.Open(PostgresEngine.Of(schema.Connection), NullLogger.Instance);
        var lastCompany = 0L;

        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var random = new Random(history.Seed);
            var company = History.CompanyOf(Interlocked.Increment(ref lastCompany), history.Settings);
            var acts = new PlayedActs(one, company, history);

            // A message that uses another's eventId again could come first here; what is sent twice goes to both.
            var messages = history.Stored.Select(message => message with { Company = company }).ToArray();
            random.Shuffle(messages);
            var shares = messages.ToLookup(_ => random.Next(3));
            await Task.WhenAll(SendAsync(one, [.. shares[0], .. shares[1]]), SendAsync(other, [.. shares[1], .. shares[2]]));
            await acts.DoAsync(int.MaxValue);

            var expected = NaiveView.Of(History.CompanyOf(0, history.Settings), history.Messages, acts.Standing).ToText();
            View.AssertEqual(expected, acts.Named(StoredView.Read(other, company, history.Stored, random).ToText()), "Two servers end in another view:");
        }, iter: 100, threads: 1, print: history => history.ToString());
    }

    private static async Task SendAsync(MessageStore store, IReadOnlyList<Message> messages)
    {
        foreach (var batch in messages.Chunk(2)) await AppendAsync(store, batch);
    }

    private static async Task AppendAsync(MessageStore store, Message[] batch)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await store.AppendAsync(batch);
                return;
            }
            catch (StoreUnavailableException) when (tries < MostTries)
            {
                // They met more often than a transaction is tried again; nothing was stored.
            }
        }
    }
}
