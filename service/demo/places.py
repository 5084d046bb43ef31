"""The demo county's places and offices, all of them invented: no county, town or person stands behind a name here."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

COUNTY_NAME = "岫川县"

ROOT = "root"
"""The code of the tenant's root unit, which is there already: towns and departments hang under it."""

VILLAGES = """
岫口镇: 东关社区 西关社区 岫阳社区 桥头社区 柳树沟村 石门坎村 新屋场村 大堰村 双井村 白杨湾村 上坝村 下坝村 枣林村
    油坊村 龙泉村 杨家坪村
岚口镇: 岚滨社区 岚头村 岚尾村 沙洲村 渔梁村 磨盘村 老鹰岩村 水车湾村 黄连村 石垭口村 大湾村 小湾村 红岩村 香樟村
    灯盏村
栗坪镇: 栗坪社区 板栗园村 核桃坪村 茶垭村 高坎村 平溪村 火石岭村 天池村 青杠村 向阳村 麻柳村 窑坪村 五谷村 箭竹村
枫渡镇: 枫渡社区 红枫村 渡口村 芦苇滩村 船铺村 两河口村 石滩村 梨树村 杉木村 凤形村 鱼塘村 桃源沟村 长坝村 回水村
鹤垭镇: 鹤垭社区 鹤鸣村 云雾村 高峰村 凉风垭村 松林村 雪梨村 马鞍村 牛栏村 石桅村 野茶村 三岔村 望月村
石笕镇: 石笕社区 石槽村 石盘村 石鼓台村 引水村 长笕村 清泉村 滴水村 半坡村 楠木村 银杏村 蓝靛村 花岩村
竹埠镇: 竹埠社区 竹山村 苦竹村 斑竹村 笋溪村 纸坊村 篾匠村 埠头村 上码头村 下码头村 牌楼村 茅坪村 樟脑村 湾塘村
桐湾镇: 桐湾社区 桐子坡村 油桐村 湾里村 晒谷坪村 土桥村 田心村 莲花塘村 荷叶村 稻香村 禾场村 谷仓村 圳头村
杏垣镇: 杏垣社区 杏花坪村 上垣村 下垣村 中垣村 土门村 黄土坡村 窑洞村 麦场村 谷雨村 高粱村 井台村 槐树村 碾子村
棠坞镇: 棠坞社区 海棠村 里坞村 外坞村 梅坞村 桂坞村 深坑村 茶场村 东篱村 水碓村 岭脚村 岭背村 石板村
柏岔镇: 柏岔社区 柏树梁村 左岔村 右岔村 羊角村 阳坡村 阴坡村 沙棘村 酸枣村 崖头村 河滩村 石峡村
芦汀镇: 芦汀社区 汀洲村 白沙汀村 藕池村 菱角村 闸口村 圩堤村 圩心村 鸭棚村 鱼嘴村 水杉村 芦花村 沟港村
樟原镇: 樟原社区 大樟村 古樟村 原上村 原下村 塔坪村 砖桥村 祠堂边村 烟墩村 驿亭村 柿林村 甘蔗村 花生坪村
松岫镇: 松岫社区 松涛村 油松村 岫云村 岭松村 药材坪村 蜂桶村 蕨坪村 熊洞村 岩屋村 木耳村 冷杉村
菱塘镇: 菱塘社区 上塘村 下塘村 塘边村 塘坳村 菱湖村 荞坪村 芋头村 瓦屋村 红砖村 果园村
"""
"""Town: its communities and villages. A name stands once in the county, since an import matches units by full name."""

DEPARTMENTS = """
县委办公室 县委组织部 县委宣传部 县委统战部 县委政法委员会 县委社会工作部 县委机构编制委员会办公室
县委巡察工作领导小组办公室 县委网络安全和信息化委员会办公室 县委老干部局 县直属机关工作委员会 县委党校
县总工会 共青团县委员会 县妇女联合会 县残疾人联合会 县科学技术协会 县工商业联合会 县红十字会 县文学艺术界联合会
县人民法院 县人民检察院 县档案馆 县融媒体中心

县人民政府办公室 县发展和改革局 县教育局 县科学技术和工业信息化局 县民族宗教事务局 县公安局 县民政局 县司法局
县财政局 县人力资源和社会保障局 县自然资源局 县住房和城乡建设局 县城市管理局 县交通运输局 县水利局 县农业农村局
县林业局 县商务局 县文化广电旅游体育局 县卫生健康局 县退役军人事务局 县应急管理局 县审计局 县市场监督管理局
县统计局 县医疗保障局 县信访局 县数据局 县行政审批服务局 县国有资产监督管理局 县生态环境局 县税务局 县气象局
县消防救援大队 县邮政管理局 县供销合作社联合社 县机关事务服务中心 县经济开发区管理委员会 县政务服务中心

县农村供水服务中心 县河湖管理中心 县水库管理所 县防汛抗旱服务中心 县水土保持站 县灌区管理所 县水利工程质量监督站
县水政监察大队
县农业综合行政执法大队 县农业技术推广中心 县畜牧兽医服务中心 县动物疫病预防控制中心 县农村经济服务中心
县农业机械服务中心 县农产品质量安全检测站 县高标准农田建设服务中心 县种子管理站 县植物保护站 县农村能源服务站
县城镇供水服务中心 县城区污水处理厂 县生活垃圾处理场 县环境卫生服务中心 县市政设施养护所 县园林绿化服务中心
县房产服务中心 县住房保障服务中心 县建设工程质量安全站 县农村危房改造服务中心 县物业服务指导中心
县公路养护中心 县农村公路管理所 县道路运输服务中心 县交通运输综合行政执法大队 县公共交通服务中心 县地方海事所
县不动产登记中心 县土地储备中心 县地质灾害防治中心 县自然资源执法大队 县国土空间规划服务中心 县国有林场
县森林病虫害防治检疫站 县自然保护地服务中心
县教育装备与后勤服务中心 县校车安全管理服务中心 县学生资助管理中心 县教师发展中心 县职业教育中心 县招生考试中心
县人民医院 县中医医院 县妇幼保健院 县疾病预防控制中心 县卫生健康综合监督执法大队 县急救中心 县基层卫生服务中心
县精神卫生中心 县老龄健康服务中心
县社会保险中心 县公共就业服务中心 县劳动保障监察大队 县劳动人事争议仲裁院 县城乡居民养老保险服务中心
县社会救助服务中心 县社会福利院 县养老服务中心 县殡葬服务中心 县未成年人保护中心 县医疗保险服务中心
县退役军人服务中心
县公安局交通警察大队 县公安局治安管理大队 县应急救援指挥中心 县应急管理综合行政执法大队
县市场监管综合行政执法大队 县食品药品检验所 县特种设备监督检验站 县消费者权益保护中心
县生态环境监测站 县生态环境保护综合行政执法大队
县财政国库支付中心 县政府投资项目评审中心 县公共资源交易中心 县图书馆 县文化馆 县博物馆 县粮食和物资储备中心
县招商服务中心 县大数据服务中心
"""
"""Party and mass organisations, bureaus, then the bodies below them, bureau by bureau. All hang under the county."""

SURNAMES = "赵钱孙周吴郑冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范"
GIVEN_NAMES = (
    "守田 禾安 砚书 桂舟 望川 景禾 立坤 秋穗 春茂 岭松 岳坪 岚芽 青野 泊远 麦秋 谷怀 若溪 清和 禾坡 启耕 "
    "传砺 定坡 汀舟 仰山 云樵 谷丰 蹊桥 序秋 樵声 岩柏 溪桥 垄青 砚田 葵生 凌霜 穗成 佳禾 渡远 延青 棠舒"
)

ESTATES = "岫水花园 柳岸小区 锦屏苑 阳光里小区 桂香苑 粮站家属院 文昌小区 滨河新居 安泰小区 和顺家园"
RIVERS = "岫水 岚河 栗溪 枫溪 鹤涧 石笕溪 竹沙河 桐水 杏河 棠溪 柏岔河 芦汀港 樟水 松涧 菱溪"
ROADS = "滨河路 岫岚路 岫栗路 岫枫路 枫鹤路 鹤笕路 竹桐路 岫桐路 杏柏路 棠笕路 柏垣路 芦菱路 樟棠路 松鹤路 岫菱路"
"""One river and one road for each town, in the order of VILLAGES."""
FIRMS = "岫丰粮油厂 青禾木业 岚江建材厂 兴岭铸造厂 宏穗饲料厂 云樵家具厂 白鹭纸品厂 鲜塘食品厂 金桐油脂厂 固石砂料厂"

Level = Literal["county", "town", "village", "department"]


@dataclass(frozen=True, slots=True)
class UnitSeed:
    """One unit; `parent` is the parent's code."""

    code: str
    name: str
    level: Level
    parent: str | None


def units() -> list[UnitSeed]:
    """Every unit but the root, parents before children."""
    return list(_units())


@cache
def _units() -> tuple[UnitSeed, ...]:
    towns: list[UnitSeed] = []
    villages: list[UnitSeed] = []
    for town_number, line in enumerate(VILLAGES.strip().replace("\n    ", " ").splitlines(), start=1):
        town_name, names = line.split(":")
        town = UnitSeed(f"t{town_number:02}", town_name, "town", ROOT)
        towns.append(town)
        for number, name in enumerate(names.split(), start=1):
            villages.append(UnitSeed(f"{town.code}v{number:02}", name, "village", town.code))
    departments = [
        UnitSeed(f"d{number:03}", name, "department", ROOT) for number, name in enumerate(DEPARTMENTS.split(), start=1)
    ]
    return (*towns, *departments, *villages)


def person(unit: UnitSeed, deputy: bool) -> str:
    """Who answers for a unit: always the same invented person, or always the same deputy."""
    index = 2 * [known.code for known in units()].index(unit.code) + deputy
    row, column = divmod(index, len(SURNAMES))
    given_names = GIVEN_NAMES.split()
    return SURNAMES[column] + given_names[(column * 7 + row) % len(given_names)]
