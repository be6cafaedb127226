using TrackMate.Bind;
using TrackMate.Show;

namespace TrackMate.Tests.Store;

/// <summary>Of one identifier the earliest pairs are candidates (B13): who is late and earlier takes the place of another.</summary>
public sealed class CandidatePairsTests(TemporaryStore stored) : IClassFixture<TemporaryStore>
{
    /// <param name="cluster">From how many pairs on each identifier chooses for itself.</param>
    /// <param name="joins">Whether the late pair joins; it does not where the late e-mail is named with somebody else before, and takes the place all the same.</param>
    [Theory]
    [InlineData(100, true)]
    [InlineData(0, true)]
    [InlineData(100, false)]
    [InlineData(0, false)]
    public async Task A_pair_whose_place_a_late_one_takes_joins_no_longer(int cluster, bool joins)
    {
        var company = Messages.Company(stored.NextCompany());
        company = company with { Settings = company.Settings with { JoinLimits = new(Pairs: 1, Cluster: cluster) } };
        var (customer, first, late) = (Identifier.External(company, "customer"), Identifier.Email(company, "first@shop.com"), Identifier.Email(company, "late@shop.com"));
        async Task NameAsync(long at, params Identifier[] named) => await stored.Store.AppendAsync([Messages.Webhook(company, "", $"{at}", at) with { Named = named }]);
        string[] PersonOf(Identifier identifier) => stored.Store.Read(database => new Documents(database, company).Persons.Find(company, identifier.Id)!.Identifiers.Select(one => one.Identifier.Value).Order(StringComparer.Ordinal).ToArray());

        if (!joins) await NameAsync(Messages.Ten - 2000, late, Identifier.External(company, "somebody else"));
        await NameAsync(Messages.Ten, first, customer);
        Assert.Equal(["customer", "first@shop.com"], PersonOf(first));

        await NameAsync(Messages.Ten - 1000, late, customer);

        Assert.Equal(joins ? ["customer", "late@shop.com"] : ["customer"], PersonOf(customer));
        Assert.Equal(["first@shop.com"], PersonOf(first));
    }
}
