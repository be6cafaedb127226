using TrackMate.Bind;
using TrackMate.Store.Timeline;

namespace TrackMate.Tests.Store;

/// <summary>Duplicates are found among all persons, indexed or not, a page at a time.</summary>
public sealed class AlikeReaderTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_spelling_of_a_mailbox_is_paired_with_the_oldest(bool isIndexed)
    {
        var company = Messages.Company(stored.NextCompany());
        string[] spellings = ["sarahjones@gmail.com", "sarah.jones@gmail.com", "sarahjones+news@gmail.com", "SarahJones@googlemail.com"];
        foreach (var (spelling, i) in spellings.Select((spelling, i) => (spelling, i)))
        {
            Assert.True(EmailAddress.TryNormalize(spelling, out var email));
            await stored.Store.AppendAsync([Messages.Webhook(company, email, $"w{i}", Messages.Ten + i), Messages.Webhook(company, $"somebody{i}@gmail.com", $"other{i}", Messages.Ten + i)]);
        }

        if (isIndexed) await stored.Store.IndexAsync(company);
        Assert.Equal(
            ["sarahjones@googlemail.com sarahjones@gmail.com SameMailbox", "sarahjones+news@gmail.com sarahjones@gmail.com SameMailbox", "sarah.jones@gmail.com sarahjones@gmail.com SameMailbox"],
            Pages(company, 50).Single());
    }

    [Fact]
    public async Task Those_far_beyond_the_newest_are_found_page_by_page()
    {
        var company = Messages.Company(stored.NextCompany());
        for (var i = 0; i < 1200; i += 300)
            await stored.Store.AppendAsync([.. Enumerable.Range(i, 300).Select(n => Messages.Webhook(company, n % 100 == 0 ? $"twin{n / 200}{(n % 200 == 0 ? "" : "+b")}@example.com" : $"p{n}@example.com", $"w{n}", Messages.Ten + n))]);
        while (await stored.Store.IndexAsync(company))
        {
        }

        var pages = Pages(company, 2);
        Assert.Equal([2, 2, 2], pages.ConvertAll(page => page.Count));
        Assert.Equal([.. Enumerable.Range(0, 6).Select(n => $"twin{5 - n}+b@example.com twin{5 - n}@example.com SameMailbox")], pages.SelectMany(page => page));
    }

    private List<List<string>> Pages(Company company, int limit)
    {
        using var snapshot = stored.Store.Read(company);
        var (pages, next) = (new List<List<string>>(), (long?)null);
        do
        {
            (var pairs, next) = new DuplicateReader(snapshot.Database).Of(company, next, limit);
            pages.Add(pairs.ConvertAll(pair => $"{pair.One.Value} {pair.Other.Value} {pair.Reason}"));
        }
        while (next is not null);
        if (pages is [.., []]) pages.RemoveAt(pages.Count - 1);
        return pages;
    }
}
