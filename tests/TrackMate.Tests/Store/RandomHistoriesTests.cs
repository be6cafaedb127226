using CsCheck;
using TrackMate.Bind;
using TrackMate.Tests.Model;

namespace TrackMate.Tests.Store;

/// <summary>B9: whatever the order of arrival, with whatever repeats, the same messages end in the same view, and it is the one that the rules define.</summary>
public sealed class RandomHistoriesTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    private static readonly bool Long = Environment.GetEnvironmentVariable("TRACKMATE_LONG") == "1";

    [Fact]
    public async Task Any_order_of_arrival_ends_in_the_view_that_the_rules_define() =>
        await Histories.OfSize(24).SampleAsync(async history =>
        {
            var expected = NaiveView.Of(History.CompanyOf(0, history.Settings), history.Messages).ToText();
            for (var order = 0; order < (Long ? 10 : 3); order++)
            {
                var pages = new Random(HashCode.Combine(history.Seed, order));
                var company = await Play(history, history.Arrival(order), pages);
                View.AssertEqual(expected, StoredView.Read(stored.Store, company, history.Stored, pages).ToText(), $"Order {order} of arrival ends in another view:");
            }
        }, iter: Long ? 10_000 : 1_000, threads: 2, print: history => history.ToString());

    /// <summary>Tells the store a history in random batches, some of them at once, and checks that repeats and only repeats are said to be.</summary>
    private async Task<Company> Play(History history, List<Message> arrival, Random random)
    {
        var company = History.CompanyOf(stored.NextCompany(), history.Settings);
        var waiting = new List<Task<Receipt[]>>();
        for (var next = 0; next < arrival.Count;)
        {
            var batch = arrival.Skip(next).Take(random.Next(1, 9)).Select(message => message with { Company = company }).ToList();
            waiting.Add(stored.Store.AppendAsync(batch));
            next += batch.Count;
            if (random.Next(3) == 0) await Task.WhenAll(waiting);
        }

        var receipts = (await Task.WhenAll(waiting)).SelectMany(answers => answers).ToList();
        var known = new HashSet<(Origin, string)>();
        Assert.Equal(arrival.Select(message => !known.Add((message.Order.Origin, message.EventId))), receipts.Select(receipt => receipt.Duplicate));
        return company;
    }
}
