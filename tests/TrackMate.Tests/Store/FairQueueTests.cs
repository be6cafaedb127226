using CsCheck;
using TrackMate.Store.Ingest;
using TrackMate.Tests.Running;

namespace TrackMate.Tests.Store;

/// <summary>Whose turn it is before the writer: by property, whatever comes in whichever order.</summary>
[NoStore]
public sealed class FairQueueTests
{
    private static readonly Sender Big = new(1, SenderKind.Browsers), Small = new(2, SenderKind.Browsers);

    private sealed record Item(Sender Sender, double Cost, long Bytes, int Number);

    /// <summary>Up to five companies of three senders each; an item of nobody stands for taking one out.</summary>
    private static readonly Gen<Item?[]> Plays = Gen.Select(Gen.Int[1, 5], Gen.Enum<SenderKind>(), Gen.OneOf(Gen.Double[0.01, 1], Gen.Double[5, 500]), Gen.Long[1, 1000], Gen.Bool)
        .Select((company, kind, cost, bytes, isTaken) => isTaken ? null : new Item(new(company, kind), cost, bytes, 0)).Array[0, 400];

    [Fact]
    public void Each_line_is_first_in_first_out_and_the_sums_are_of_what_waits()
    {
        Plays.Sample(plays =>
        {
            var queue = new FairQueue<Item>();
            var waiting = new List<Item>();
            foreach (var (number, played) in plays.Index())
            {
                if (played is not null)
                {
                    var item = played with { Number = number };
                    queue.Enqueue(item.Sender, item, item.Cost, item.Bytes);
                    waiting.Add(item);
                }
                else if (queue.TryPeek(out var next, out var cost))
                {
                    Assert.Same(next, queue.Dequeue());
                    Assert.Equal(next.Cost, cost);
                    Assert.Same(waiting.First(item => item.Sender == next.Sender), next);
                    waiting.Remove(next);
                }

                Assert.Equal(waiting.Count, queue.Count);
                Assert.Equal(waiting.Sum(item => item.Bytes), queue.Bytes);
                Assert.Equal(waiting.Sum(item => item.Cost), queue.Cost, tolerance: 1e-6);
                foreach (var kind in Enum.GetValues<SenderKind>()) Assert.Equal(waiting.Count(item => item.Sender.Kind == kind), queue.CountOf(kind));
                foreach (var sender in waiting.Select(item => item.Sender).Distinct())
                {
                    Assert.Equal(waiting.Where(item => item.Sender == sender).Sum(item => item.Bytes), queue.BytesOf(sender));
                    Assert.Equal(waiting.Where(item => item.Sender == sender).Sum(item => item.Cost), queue.CostBefore(sender).Own, tolerance: 1e-6);
                }
            }
        });
    }

    /// <summary>While two senders both wait, what is taken of the one and of the other differs by no more than the largest item of each.</summary>
    [Fact]
    public void Senders_that_wait_get_equal_shares_of_the_cost()
    {
        Plays.Sample(plays =>
        {
            var queue = new FairQueue<Item>();
            var (waiting, taken, since) = (new Dictionary<Sender, int>(), new Dictionary<Sender, double>(), new Dictionary<(Sender, Sender), (double, double)>());
            var largest = plays.OfType<Item>().GroupBy(item => item.Sender).ToDictionary(items => items.Key, items => items.Max(item => item.Cost));
            foreach (var played in plays)
            {
                if (played is not null)
                {
                    queue.Enqueue(played.Sender, played, played.Cost, played.Bytes);
                    waiting[played.Sender] = waiting.GetValueOrDefault(played.Sender) + 1;
                }
                else if (queue.Count > 0)
                {
                    var item = queue.Dequeue();
                    waiting[item.Sender]--;
                    taken[item.Sender] = taken.GetValueOrDefault(item.Sender) + item.Cost;
                }

                foreach (var one in largest.Keys)
                {
                    foreach (var other in largest.Keys)
                    {
                        var both = waiting.GetValueOrDefault(one) > 0 && waiting.GetValueOrDefault(other) > 0;
                        if (!both) since.Remove((one, other));
                        else if (!since.TryAdd((one, other), (taken.GetValueOrDefault(one), taken.GetValueOrDefault(other))))
                        {
                            var (ofOne, ofOther) = since[(one, other)];
                            Assert.True(Math.Abs(taken.GetValueOrDefault(one) - ofOne - (taken.GetValueOrDefault(other) - ofOther)) <= largest[one] + largest[other] + 1e-6);
                        }
                    }
                }
            }
        });
    }

    [Fact]
    public void A_single_event_goes_before_all_but_one_of_the_batches_that_came_before_it()
    {
        var queue = new FairQueue<string>();
        for (var i = 0; i < 1000; i++) queue.Enqueue(Big, "batch", 10, 1);
        Assert.Equal("batch", queue.Dequeue());
        for (var i = 0; i < 80; i++)
        {
            queue.Enqueue(Small, "event", 0.125, 1);
            Assert.Equal("event", queue.Dequeue());
        }

        // Then it has had as much as one batch costs.
        queue.Enqueue(Small, "event", 0.125, 1);
        Assert.Equal("batch", queue.Dequeue());
    }

    [Fact]
    public void What_stands_before_an_item_is_what_is_taken_before_it()
    {
        Plays.Sample(plays =>
        {
            var queue = new FairQueue<Item>();
            foreach (var item in plays.OfType<Item>()) queue.Enqueue(item.Sender, item, item.Cost, item.Bytes);
            var (own, others) = queue.CostBefore(Small);
            var last = new Item(Small, 1, 1, -1);
            queue.Enqueue(Small, last, last.Cost, last.Bytes);
            var (ownBefore, othersBefore, largest) = (0.0, 0.0, plays.OfType<Item>().GroupBy(item => item.Sender).Sum(items => items.Max(item => item.Cost)));
            while (queue.Dequeue() is var item && !ReferenceEquals(item, last))
            {
                if (item.Sender == Small) ownBefore += item.Cost;
                else othersBefore += item.Cost;
            }

            Assert.Equal(own, ownBefore, tolerance: 1e-6);
            Assert.InRange(othersBefore, others - largest - 1e-6, others + largest + 1e-6);
        });
    }

    [Fact]
    public void Who_comes_next_always_finds_room_however_many_flood()
    {
        const long capacity = 1000;
        var queue = new FairQueue<int>();
        for (var company = 1; company <= 9; company++)
        {
            var sender = new Sender(company, SenderKind.Browsers);
            Assert.True(queue.HasRoom(sender, 1, capacity));
            while (queue.HasRoom(sender, 1, capacity)) queue.Enqueue(sender, company, 1, 1);
            Assert.True(queue.BytesOf(sender) <= capacity / 2);
        }
    }

    [Fact]
    public void What_is_taken_out_early_is_the_first_of_each_line_and_no_turn_of_it()
    {
        var queue = new FairQueue<int>();
        for (var i = 0; i < 4; i++) queue.Enqueue(Big, i, 10, 10);
        queue.Enqueue(Small, 4, 1, 1);
        Assert.Equal([0, 1, 4], queue.RemoveFirst(number => number is 0 or 1 or 3 or 4).Order());
        Assert.Equal((2, 20L), (queue.Count, queue.Bytes));
        queue.Enqueue(Small, 5, 1, 1);
        Assert.Equal([2, 5, 3], [queue.Dequeue(), queue.Dequeue(), queue.Dequeue()]);
        Assert.False(queue.TryPeek(out _, out _));
    }
}
